import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { inCgroup, labName } from './cgroup.ts';
import { recordProcess, unmountBelow } from './ground.ts';
import { identify, isAlive, namespaceInit, type ProcessIdentity } from './processes.ts';
import { ENVIRONMENT, run } from './run.ts';
import { PATIENCE, until } from './wait.ts';

/** Where a booted machine lives: the layer keeps what it wrote, the root is that over what it was made from. */
export interface Chassis {
  readonly name: string;
  readonly dir: string;
  readonly root: string;
  /** What the root lies over: `/` is the outer machine's own. */
  readonly lower: string;
}

export interface Booted {
  readonly leader: number;
  readonly supervisor: ProcessIdentity;
}

/** Lays an empty layer over a root, the outer machine's own, say: whatever is done to the chassis ends with it. */
export async function layChassis(dir: string, name: string, lower: string): Promise<Chassis> {
  const layer = join(dir, name);
  const root = join(layer, 'root');
  await mkdir(layer);
  await run(['mount', '-t', 'tmpfs', 'tmpfs', layer]);
  await overlay(lower, join(layer, 'own'), root);
  return { name, dir, root, lower };
}

/** Shows a directory at another place; what is written there is kept beside, and the directory stays as it is. */
export async function overlay(lower: string, beside: string, target: string): Promise<void> {
  const [upper, work] = [join(beside, 'upper'), join(beside, 'work')];
  await run(['mkdir', '-p', upper, work, target]);
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  await run(['mount', '-t', 'overlay', 'overlay', '-o', options, target]);
}

export function removeChassis({ dir, name }: Chassis): void {
  unmountBelow(join(dir, name));
  rmSync(join(dir, name), { recursive: true, force: true });
}

/**
 * Boots systemd in the chassis and waits for its first process, not for its units. Of /proc/sys only net/ is
 * writable, which is the namespace's; a systemd that may write the rest raises the outer kernel's fs.file-max.
 */
export async function boot(chassis: Chassis, netns: string, binds: readonly string[]): Promise<Booted> {
  const log = join(chassis.dir, `${chassis.name}.log`);
  const out = openSync(log, 'a');
  const name = labName(chassis.dir, chassis.name);
  const [file = '', ...argv] = inCgroup(name, nspawn(name, chassis, netns, binds));
  const child = spawn(file, argv, {
    detached: true,
    env: { ...ENVIRONMENT, SYSTEMD_NSPAWN_API_VFS_WRITABLE: 'network', ...controlGroups(chassis) },
    stdio: ['ignore', out, out],
  });
  child.unref();
  closeSync(out);
  const supervisor = identify(child.pid ?? 0);
  recordProcess(chassis.dir, supervisor.pid);
  const leader = await until(
    () => (isAlive(supervisor) ? namespaceInit(supervisor.pid) : -1),
    PATIENCE,
    `the first process of ${chassis.name}`,
  );
  if (leader < 0) throw new Error(`Cannot boot "${chassis.name}": ${readFileSync(log, 'utf8')}`);
  return { leader, supervisor };
}

/**
 * The systemd of the outer machine takes its control groups as they are. That of another release may know those of the
 * second version alone, as forky's does, and of those every machine has a hierarchy, if an empty one.
 */
const controlGroups = ({ lower }: Chassis): Record<string, string> =>
  lower === '/' ? {} : { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' };

/** Nothing registers with a machined that may not run, and names are unique, for labs that run side by side. */
function nspawn(name: string, chassis: Chassis, netns: string, binds: readonly string[]): string[] {
  return [
    'systemd-nspawn',
    '--quiet',
    `--directory=${chassis.root}`,
    `--machine=${name}`,
    `--hostname=${chassis.name}`,
    `--network-namespace-path=${netns}`,
    '--capability=all',
    '--keep-unit',
    '--register=no',
    '--resolv-conf=off',
    '--timezone=off',
    '--link-journal=no',
    '--bind=/dev/net/tun',
    ...binds.map(bind => `--bind=${bind}`),
    '--boot',
  ];
}
