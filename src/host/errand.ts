/** Programs of the operator's that run beside everything else. */
import type { ChildProcess } from 'node:child_process';
import { ifPossible } from '../model/refusal.ts';

/** How much of what a program prints is kept, in characters. */
const LONGEST = 16 << 10;

/**
 * What a program printed, and how it failed if it did. A program that goes on, or leaves one that prints, has its time too.
 * @param child leads a process group, and has pipes for what it prints
 * @param input for its standard input, if it has one; it needn't read it
 * @param limit in milliseconds
 */
export function ended(
  child: ChildProcess,
  input: string,
  limit: number,
): Promise<{ printed: string; why?: string }> {
  return new Promise(resolve => {
    let printed = '';
    let why: string | undefined;
    const take = (text: string): void => {
      printed = `${printed}${text}`.slice(0, LONGEST);
    };
    child.stdout?.setEncoding('utf8').on('data', take);
    child.stderr?.setEncoding('utf8').on('data', take);
    child.stdin?.on('error', () => undefined).end(input);
    const timer = setTimeout(() => {
      why = `it took longer than ${limit / 1000} s, and was killed`;
      kill(child);
      for (const stream of [child.stdout, child.stderr]) stream?.destroy();
    }, limit);
    child.on('error', error => {
      why ??= error.message;
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code !== 0) why ??= code === null ? `it was ended by ${signal}` : `exit code ${code}`;
      resolve({ printed, ...(why !== undefined && { why }) });
    });
  });
}

/** Ends a program with its children, which are of its process group. */
export function kill(child: ChildProcess | undefined): void {
  const { pid } = child ?? {};
  if (pid !== undefined) ifPossible(() => process.kill(-pid, 'SIGKILL'));
}
