/** An `ip` that is started before it is needed: to start a program takes ten times as long as to change a few routes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { batchCommand } from '../resources/action.ts';
import { meansAbsence } from './absence.ts';
import { ENVIRONMENT } from './tools.ts';

/** How long it may take, in milliseconds. */
const LIMIT = 10_000;

export class ReadyIp {
  /** It waits for its input, and ends with it, and so with this process. */
  #waiting: ChildProcess = start();

  /**
   * Hands it lines, and starts the next one.
   * @returns whether all was done that is not about what isn't there: some commands of `ip` end the batch when they fail
   */
  run(lines: readonly string[]): Promise<boolean> {
    const child = this.#waiting;
    const done = isDone(child, lines);
    child.stdin?.end(batchCommand('ip', lines, true).stdin);
    this.#waiting = start();
    return done;
  }

  stop(): void {
    this.#waiting.stdin?.end();
  }
}

function start(): ChildProcess {
  const { argv } = batchCommand('ip', [], true);
  const [command = '', ...args] = argv;
  const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'pipe'], env: ENVIRONMENT, cwd: '/' });
  // It may not be installed, or have been killed.
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  return child;
}

function isDone(child: ChildProcess, lines: readonly string[]): Promise<boolean> {
  const { exitCode, signalCode, pid } = child;
  if (pid === undefined || exitCode !== null || signalCode !== null) return Promise.resolve(false);
  return new Promise(resolve => {
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', text => {
      stderr += text;
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT);
    child.on('close', status => {
      clearTimeout(timer);
      resolve(status === 0 || (status === 1 && meansAbsence('ip', { status, stderr }, lines)));
    });
  });
}
