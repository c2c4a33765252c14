import type { Hypervisor } from '../hypervisor.ts';
import { expectSuccess, type Outcome } from '../run.ts';
import type { Vm } from '../vm.ts';

/** What QEMU says of a move that is over, in milliseconds. */
export interface Move {
  /** From the start of the copy to its end. */
  readonly took: number;
  /** How long the CPUs stood still. */
  readonly downtime: number;
}

/** The flags without which a move leaves a definition behind, and hnet refuses it. */
export const FLAGS = ['--live', '--p2p', '--persistent', '--undefinesource'] as const;

/** Runs `virsh migrate`, whatever comes of it; the VM is looked for at the destination only if it succeeded. */
export async function attemptMove(
  vm: Vm,
  to: Hypervisor,
  flags: readonly string[] = FLAGS,
): Promise<Outcome> {
  const argv = ['virsh', '-q', 'migrate', ...flags, vm.name, `qemu+tcp://${to.name}/system`];
  const outcome = await vm.hypervisor.attempt(argv);
  if (outcome.code === 0) await vm.moved(to);
  return outcome;
}

/** The same, and it must succeed. @param more further flags */
export async function move(vm: Vm, to: Hypervisor, more: readonly string[] = []): Promise<Move> {
  const what = `migrate ${vm.name} to ${to.name}`;
  expectSuccess([vm.hypervisor.name, what], await attemptMove(vm, to, [...FLAGS, ...more]));
  const said = await to.virsh('domjobinfo', '--completed', '--anystats', vm.name).catch(() => '');
  return { took: figure(said, 'Time elapsed'), downtime: figure(said, 'Total downtime') };
}

function figure(said: string, name: string): number {
  const value = new RegExp(`^${name}: +(\\d+) +ms`, 'm').exec(said)?.[1];
  if (value === undefined)
    throw new Error(`Cannot read "${name}" of a finished move: libvirt said "${said}"`);
  return Number(value);
}
