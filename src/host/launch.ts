/** Starts programs that outlive the call of the hook. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { linkIfThere, namesIn } from './files.ts';
import { ordinarily } from './priority.ts';
import { ENVIRONMENT } from './tools.ts';

/**
 * Starts a program with no descriptor of ours: libvirtd waits until nobody holds the hook's output.
 * @param words a descriptor for its standard error
 * @returns its pid; undefined if it isn't installed
 */
export function launch(argv: readonly string[], words: number | 'ignore' = 'ignore'): number | undefined {
  const [command = '', ...args] = argv;
  const child = ordinarily(() =>
    spawn(command, args, {
      stdio: ['ignore', 'ignore', words],
      detached: true,
      env: ENVIRONMENT,
      cwd: '/',
    }),
  );
  // A program that can't be started has no pid.
  child.on('error', () => undefined);
  child.unref();
  return child.pid;
}

/** A server that was started, and may still be about to refuse. */
export interface Server {
  readonly argv: readonly string[];
  /** Undefined if the program isn't installed. */
  readonly pid: number | undefined;
  /** Descriptor of a deleted file that is its standard error. */
  readonly words: number;
}

/** Starts a server that stays in the foreground, and writes its pid file. */
export function serve(argv: readonly string[], pidFile: string): Server {
  const words = openSync(`${pidFile}~`, 'w+');
  rmSync(`${pidFile}~`);
  const pid = launch(argv, words);
  if (pid !== undefined) writeFileSync(pidFile, `${pid}\n`);
  return { argv, pid, words };
}

/**
 * Waits until a server has opened its first socket: by then it has read its configuration and accepted it. What dnsmasq
 * does next, a look at every interface of the host, nobody has to wait for.
 * @returns why it doesn't serve, if it ended or opened no socket within the limit
 */
export function refusalOf({ pid, words }: Server, limit: number): string | undefined {
  try {
    if (pid === undefined) return 'the program is not installed';
    const end = Date.now() + limit;
    for (let wait = 0.25; !hasSocket(pid); wait = Math.min(2 * wait, 8)) {
      if (hasEnded(pid)) return readFileSync(`/proc/self/fd/${words}`, 'utf8').trim() || 'it ended at once';
      if (Date.now() > end) return stop(pid, limit);
      pause(wait);
    }
    return undefined;
  } finally {
    closeSync(words);
  }
}

function stop(pid: number, limit: number): string {
  process.kill(pid, 'SIGKILL');
  return `no answer within ${(limit / 1000).toFixed(1)} s`;
}

function hasSocket(pid: number): boolean {
  const directory = `/proc/${pid}/fd`;
  return namesIn(directory).some(fd => linkIfThere(`${directory}/${fd}`)?.startsWith('socket:'));
}

/** A process that ended stays a zombie (Z) until its parent collects it. */
function hasEnded(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

/** Waits without doing anything else. */
export function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
