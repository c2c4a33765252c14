import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { untilSync } from './wait.ts';

/**
 * Each booted machine gets a control group of its own. Left to itself nspawn puts all of them into one, `payload`,
 * where two systemds see each other's services, stop them for their own, and wait for them in vain.
 */
const ROOTS = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/systemd'];

/** The command line that runs a command in such a group, in whichever hierarchies this machine has. */
export function inCgroup(name: string, argv: readonly string[]): string[] {
  const join = `for root in ${ROOTS.join(' ')}; do
    [ -e "$root/cgroup.procs" ] && mkdir -p "$root/$0" && echo $$ >"$root/$0/cgroup.procs"
  done 2>/dev/null
  exec "$@"`;
  return ['sh', '-c', join, name, ...argv];
}

/** The name that tells whose group it is, for machines and groups alike. */
export function labName(dir: string, machine: string): string {
  return `hnet-lab-${basename(dir)}-${machine}`;
}

/** Removes the groups of a lab whose processes have ended; the kernel may need a moment to notice. */
export function removeCgroups(dir: string): void {
  for (const root of ROOTS.filter(existsSync)) {
    const mine = readdirSync(root).filter(name => name.startsWith(labName(dir, '')));
    for (const name of mine) untilSync(() => removeGroup(join(root, name)), 20_000);
  }
}

function removeGroup(path: string): boolean {
  try {
    const inner = readdirSync(path, { withFileTypes: true }).filter(entry => entry.isDirectory());
    for (const { name } of inner) removeGroup(join(path, name));
    rmdirSync(path);
    return true;
  } catch {
    return !existsSync(path);
  }
}
