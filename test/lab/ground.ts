import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { removeCgroups } from './cgroup.ts';
import { identify, isAlive, kill, type ProcessIdentity, processesIn } from './processes.ts';
import { PATIENCE, untilSync } from './wait.ts';

/**
 * The ground a lab stands on: one directory that holds everything it has on the machine (network namespaces as
 * files in net/, supervisors in pids/, overlays), named after the process that made it. So removing a lab needs
 * no memory of it, and one removal serves three occasions: the scenario's end, Ctrl-C, and the next lab's sweep
 * of what a killed one left. It is synchronous because a process that leaves can't wait for promises.
 */
export const ROOT = '/run/hnet-lab';
let made = 0;

export function breakGround(): string {
  if (process.getuid?.() !== 0) throw new Error('Cannot make a lab: network namespaces need root');
  const { pid, started } = identify(process.pid);
  made += 1;
  const dir = join(ROOT, `${pid}-${started}-${made}`);
  mkdirSync(join(dir, 'net'), { recursive: true });
  mkdirSync(join(dir, 'pids'));
  return dir;
}

/** Notes a process that lives outside the lab's namespaces, lest a sweep miss it. */
export function recordProcess(dir: string, pid: number): void {
  const { started } = identify(pid);
  writeFileSync(join(dir, 'pids', `${pid}-${started}`), '');
}

/** Removes the labs whose creator is dead. */
export function sweep(): void {
  const labs = list(ROOT).filter(name => /^\d+-\d+-\d+$/.test(name));
  for (const name of labs) if (!isAlive(parse(name))) clear(join(ROOT, name));
}

/** Removes one lab, also one that is half made, and may be called twice. */
export function clear(dir: string): void {
  const namespaces = list(join(dir, 'net')).map(name => join(dir, 'net', name));
  killAll(namespaces);
  const supervisors = list(join(dir, 'pids')).map(parse);
  if (!untilSync(() => !supervisors.some(isAlive), 20_000)) {
    for (const each of supervisors) if (isAlive(each)) kill(each.pid, 'SIGKILL');
  }
  removeCgroups(dir);
  unmountBelow(dir);
  rmSync(dir, { recursive: true, force: true });
  if (list(ROOT).length === 0) execaSync('rmdir', ['--ignore-fail-on-non-empty', ROOT], { reject: false });
}

/** Ends one machine of a lab with its guests, whose namespaces' names begin with its own. */
export function endMachine(dir: string, name: string): void {
  const mine = list(join(dir, 'net')).filter(each => each === name || each.startsWith(`${name}.`));
  const namespaces = mine.map(each => join(dir, 'net', each));
  killAll(namespaces);
  for (const namespace of namespaces) {
    unmountBelow(namespace);
    rmSync(namespace);
  }
}

/** Kills every process in these network namespaces and waits until they are gone. */
export function killAll(namespaces: readonly string[]): void {
  if (namespaces.length === 0) return;
  const gone = untilSync(() => {
    const left = processesIn(namespaces);
    for (const pid of left) kill(pid, 'SIGKILL');
    return left.length === 0;
  }, PATIENCE);
  if (!gone) throw new Error(`Cannot end the processes in "${namespaces.join(' ')}"`);
}

/** Unmounts what is mounted at or below a path, the innermost first. */
export function unmountBelow(path: string): void {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map(line => line.split(' ')[4] ?? '')
    .filter(point => point === path || point.startsWith(`${path}/`));
  for (const point of points.reverse()) {
    const plain = execaSync('umount', [point], { reject: false });
    if (plain.failed) execaSync('umount', ['--lazy', point], { reject: false });
  }
}

function parse(name: string): ProcessIdentity {
  const [pid = '0', started = '0'] = name.split('-');
  return { pid: Number(pid), started };
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
