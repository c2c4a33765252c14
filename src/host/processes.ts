/** Processes that serve a bridge, known by their command lines and their pid files. */
import { existsSync } from 'node:fs';
import { Refusal } from '../model/refusal.ts';
import type { Action } from '../resources/action.ts';
import { linkIfThere, namesIn, readIfThere } from './files.ts';
import { waitFor } from './wait.ts';

/** The process that a pid file names, if it is still the one that was started with `marker`. */
export function processOf(pidFile: string, marker: string): number | undefined {
  const pid = pidIn(pidFile);
  return isProcess(pid, marker) ? pid : undefined;
}

/** The pid in a file; NaN if there is none. */
export const pidIn = (pidFile: string): number => Number(readIfThere(pidFile)?.trim() || Number.NaN);

/** Whether a process runs that was started with `marker`. */
const isProcess = (pid: number, marker: string): boolean =>
  Number.isInteger(pid) && pid > 1 && (readIfThere(`/proc/${pid}/cmdline`)?.includes(marker) ?? false);

/** Sends SIGTERM, and SIGKILL after a second. When it returns, the processes and their sockets are gone. */
export function terminate({ pidFile, marker, pids = [] }: Extract<Action, { kind: 'terminate' }>): void {
  const named = processOf(pidFile, marker);
  const alive = (pid: number): boolean => isProcess(pid, marker);
  // A process of ours that was killed before it noted the server's pid left the file that the server was started with.
  const lost = named === undefined && existsSync(marker) ? processes().filter(alive).filter(isHere) : [];
  for (const pid of new Set([named ?? lost, pids].flat())) if (alive(pid)) end(pid, alive);
}

/** The bridges whose server has a pid file, `BRIDGE.pid`, in a directory. */
export const servedFrom = (directory: string): string[] =>
  namesIn(directory).flatMap(name => /^(.*)\.pid$/.exec(name)?.[1] ?? []);

/** Every process, those in containers too. */
export const processes = (): number[] =>
  namesIn('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number);

/** A container may run its own hnet, whose servers have the same command lines. */
const isHere = (pid: number): boolean =>
  linkIfThere(`/proc/${pid}/ns/net`) === linkIfThere('/proc/self/ns/net');

function end(pid: number, alive: (pid: number) => boolean): void {
  process.kill(pid, 'SIGTERM');
  if (waitFor(() => !alive(pid), 1000)) return;
  process.kill(pid, 'SIGKILL');
  if (!waitFor(() => !alive(pid), 2000)) throw new Refusal(`process ${pid} doesn't end`);
}
