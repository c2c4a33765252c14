/** Starts programs that outlive the call of the hook. */
import { type StdioOptions, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { Service } from '../resources/action.ts';
import { clearedOf, linkIfThere, namesIn, openNew, readIfThere, removeWhole, writeNew } from './files.ts';
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
export interface Server extends Service {
  /** Undefined if the program isn't installed. */
  readonly pid: number | undefined;
}

/** Starts a server that stays in the foreground, and writes its pid file. It would refuse data that are no file. */
export function serve(service: Service): Server {
  removeWhole(service.pidFile);
  clearedOf(service.data);
  const words = openNew(service.words);
  try {
    const pid = launch(service.argv, words);
    if (pid !== undefined) writeNew(service.pidFile, `${pid}\n`);
    return { ...service, pid };
  } finally {
    closeSync(words);
  }
}

/**
 * Waits until a server has bound its ports: by then it has read its configuration and accepted it. What dnsmasq does next, a
 * look at every interface of the host, nobody has to wait for.
 * @returns why it doesn't serve, if it ended or bound nothing within the limit
 */
export function refusalOf({ pid, words, ports }: Server, limit: number): string | undefined {
  if (pid === undefined) return 'the program is not installed';
  if (!waitFor(() => serves(pid, ports) || hasEnded(pid), limit)) {
    process.kill(pid, 'SIGKILL');
    return `no answer within ${(limit / 1000).toFixed(1)} s`;
  }
  if (!hasEnded(pid)) return undefined;
  return readIfThere(words)?.trim() || 'it ended at once';
}

function serves(pid: number, ports: readonly number[]): boolean {
  const own = namesIn(`/proc/${pid}/fd`).flatMap(
    fd => /^socket:\[(\d+)\]$/.exec(linkIfThere(`/proc/${pid}/fd/${fd}`) ?? '')?.[1] ?? [],
  );
  // The tables name every socket of the host: they are read when it has sockets at all.
  return own.length > 0 && ports.every(port => boundTo(port).some(inode => own.includes(inode)));
}

/** The sockets at a UDP port, of either family, by inode (proc(5), /proc/net/udp). */
function boundTo(port: number): string[] {
  const hexadecimal = port.toString(16).toUpperCase().padStart(4, '0');
  const line = new RegExp(`^ *\\d+: [0-9A-F]+:${hexadecimal} (?:\\S+ +){7}(\\d+) `, 'gm');
  return ['/proc/net/udp', '/proc/net/udp6'].flatMap(table =>
    [...(readIfThere(table) ?? '').matchAll(line)].map(([, inode = '']) => inode),
  );
}

/** A process that ended stays a zombie (Z) until its parent collects it. */
function hasEnded(pid: number): boolean {
  const state = readIfThere(`/proc/${pid}/stat`);
  return state === undefined || /\) Z /.test(state);
}
