import { createConnection } from 'node:net';
import type { Outcome } from './run.ts';

let asked = 0;

/** Has a VM run a shell script through its second serial port (shell.sh is the other side), and waits for the answer. */
export function ask(socket: string, script: string, limit: number): Promise<Outcome> {
  asked += 1;
  const id = `${process.pid}.${asked}`;
  const line = `${id} ${Buffer.from(script).toString('base64')}\n`;
  return new Promise((resolve, reject) => {
    let heard = '';
    const connection = createConnection(socket, () => connection.write(line));
    const settle = (act: () => void) => {
      clearTimeout(timer);
      connection.destroy();
      act();
    };
    const timer = setTimeout(() => settle(() => reject(silence(script, limit, heard))), limit);
    connection.on('error', error => settle(() => reject(error)));
    connection.on('data', chunk => {
      heard += String(chunk);
      const outcome = answerTo(id, heard);
      if (outcome !== undefined) settle(() => resolve(outcome));
    });
  });
}

function answerTo(id: string, heard: string): Outcome | undefined {
  const line = heard
    .split('\n')
    .find((each, index, all) => each.startsWith(`${id} `) && index < all.length - 1);
  if (line === undefined) return undefined;
  const [, code = '128', output = ''] = line.trim().split(' ');
  return { code: Number(code), stdout: Buffer.from(output, 'base64').toString().trimEnd(), stderr: '' };
}

function silence(script: string, limit: number, heard: string): Error {
  return new Error(`Cannot hear the VM's answer to "${script}" within ${limit} ms; it said "${heard}"`);
}
