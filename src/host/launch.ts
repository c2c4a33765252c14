/** Starts programs that outlive the call of the hook. */
import { type StdioOptions, spawn } from 'node:child_process';
import { closeSync, lstatSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Action } from '../resources/action.ts';
import { linkIfThere, namesIn, OWN_FILE, readIfThere, removeWhole } from './files.ts';
import { ordinarily } from './priority.ts';
import { ENVIRONMENT } from './tools.ts';
import { waitFor } from './wait.ts';

/**
 * Starts a program with no descriptor of ours, for libvirtd waits until nobody holds the hook's output.
 * @param words a descriptor for its standard error
 * @returns its pid; undefined if it isn't installed
 */
export function launch(
  [command = '', ...args]: readonly string[],
  words: number | 'ignore' = 'ignore',
): number | undefined {
  const stdio: StdioOptions = ['ignore', 'ignore', words];
  const child = ordinarily(() => spawn(command, args, { stdio, detached: true, env: ENVIRONMENT, cwd: '/' }));
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

/** Starts a server that stays in the foreground, and writes its pid file. It would refuse data that are no file. */
export function serve({ argv, pidFile, data }: Extract<Action, { kind: 'serve' }>): Server {
  removeWhole(pidFile);
  if (lstatSync(data, { throwIfNoEntry: false })?.isFile() === false) removeWhole(data);
  const words = openSync(`${pidFile}~`, 'w+');
  rmSync(`${pidFile}~`);
  const pid = launch(argv, words);
  if (pid !== undefined) writeFileSync(pidFile, `${pid}\n`, { mode: OWN_FILE });
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
    if (!waitFor(() => hasSocket(pid) || hasEnded(pid), limit)) {
      process.kill(pid, 'SIGKILL');
      return `no answer within ${(limit / 1000).toFixed(1)} s`;
    }
    if (hasSocket(pid)) return undefined;
    return readFileSync(`/proc/self/fd/${words}`, 'utf8').trim() || 'it ended at once';
  } finally {
    closeSync(words);
  }
}

const hasSocket = (pid: number): boolean =>
  namesIn(`/proc/${pid}/fd`).some(fd => linkIfThere(`/proc/${pid}/fd/${fd}`)?.startsWith('socket:'));

/** A process that ended stays a zombie (Z) until its parent collects it. */
function hasEnded(pid: number): boolean {
  const state = readIfThere(`/proc/${pid}/stat`);
  return state === undefined || /\) Z /.test(state);
}
