import { readdirSync, readFileSync, statSync } from 'node:fs';

/** A pid alone may have been given to another process since; with its start time it is one process for ever. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly started: string;
}

export function identify(pid: number): ProcessIdentity {
  return { pid, started: startTime(pid) ?? '0' };
}

export function isAlive({ pid, started }: ProcessIdentity): boolean {
  return startTime(pid) === started;
}

/** The clock ticks since boot at which a process began (field 22), or undefined if there is no such process. */
function startTime(pid: number): string | undefined {
  const stat = readIfAny(`/proc/${pid}/stat`);
  const afterName = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return afterName?.[0] === 'Z' ? undefined : afterName?.[19];
}

/** The words of a process's command line. */
export const commandLine = (pid: number): string =>
  (readIfAny(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim();

export function childrenOf(pid: number): number[] {
  const children = readIfAny(`/proc/${pid}/task/${pid}/children`) ?? '';
  return children.split(' ').filter(Boolean).map(Number);
}

/** The child that is PID 1 of a PID namespace of its own, once there is one. */
export function namespaceInit(pid: number): number | undefined {
  return childrenOf(pid).find(child =>
    /^NSpid:\t\d+(\t\d+)*\t1$/m.test(readIfAny(`/proc/${child}/status`) ?? ''),
  );
}

/** Every process that lives in one of these network namespaces (given as files): what the lab has started. */
export function processesIn(namespaces: readonly string[]): number[] {
  const wanted = new Set(namespaces.map(inodeOf).filter(inode => inode !== undefined));
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name));
  return pids.filter(pid => wanted.has(inodeOf(`/proc/${pid}/ns/net`) ?? -1)).map(Number);
}

/** Stops every process in a network namespace, also those that others had started meanwhile. */
export function freezeAll(namespace: string): void {
  const frozen = new Set<number>();
  for (;;) {
    const running = processesIn([namespace]).filter(pid => !frozen.has(pid));
    if (running.length === 0) return;
    for (const pid of running) {
      kill(pid, 'SIGSTOP');
      frozen.add(pid);
    }
  }
}

/**
 * Lets them go on.
 * @returns whether none stood still: nsenter does of its own accord while its command does, and may find that out late
 */
export function thawAll(namespace: string): boolean {
  const stopped = processesIn([namespace]).filter(isStopped);
  for (const pid of stopped) kill(pid, 'SIGCONT');
  return stopped.length === 0;
}

/** By the state after the name, which may hold anything. */
const isStopped = (pid: number): boolean =>
  /^T /.test(readIfAny(`/proc/${pid}/stat`)?.replace(/^.*\) /s, '') ?? '');

function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch {
    return undefined;
  }
}

export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has left by itself, which is what we wanted.
  }
}

function readIfAny(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
