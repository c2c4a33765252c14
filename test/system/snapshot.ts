import type { Machine } from '../lab/machine.ts';
import { until } from '../lab/wait.ts';
import { FOR_SUBNETS, PASSING } from '../support/snapshot.ts';

/** How long a difference may last, in milliseconds. */
const SETTLED = 60_000;

/** What must be the same after a domain's run, or after --uninstall, as before: lines, each with what it was said by. */
export type Snapshot = readonly string[];

/** One after the other, lest the list of processes show the rest. */
export async function snapshot(machine: Machine): Promise<Snapshot> {
  const links = await machine.run(['ip', '-d', 'link']);
  const routes = await machine.sh('ip route show table all; ip -6 route show table all; ip rule; ip -6 rule');
  const rules = await machine.sh(
    'iptables-save; ip6tables-save; iptables-legacy-save; ip6tables-legacy-save',
  );
  const sets = await machine.run(['ipset', 'save']);
  const processes = await machine.run(['ps', '-eo', 'args', '--no-headers']);
  return [
    // Which number the cable's other end has is the provider's affair, and a bridge's timers tick.
    ...labelled('link', links.replaceAll(/@if\d+:| \w+_timer +\S+/g, '').split('\n')),
    // The kernel lists IPv6 routes in an order of its own, and takes a while to make a tap's link-local address.
    ...labelled(
      'route',
      routes
        .replaceAll(/^.* dev vnet\d+ .* proto kernel .*$/gm, '')
        .split('\n')
        .sort(),
    ),
    ...labelled('rule', significant(rules)),
    // The seed of a set's hashes is new after a reboot, and with it the order of its entries.
    ...labelled(
      'set',
      sets
        .replaceAll(/ initval \S+/g, '')
        .replaceAll(PASSING, '')
        .replaceAll(FOR_SUBNETS, '')
        .split('\n')
        .sort(),
    ),
    ...labelled('process', lasting(processes)),
  ];
}

const labelled = (label: string, lines: readonly string[]): string[] =>
  lines.filter(line => line.trim() !== '').map(line => `${label} ${line.trimEnd()}`);

/**
 * How the machine differs from a snapshot: `+` lines that are new, `-` lines that are gone. Processes take a moment
 * to go, so a difference counts once it has lasted.
 */
export async function changes(machine: Machine, before: Snapshot): Promise<string[]> {
  let found: string[] = [];
  const same = async () => {
    found = difference(before, await snapshot(machine));
    return found.length === 0;
  };
  await until(same, SETTLED, 'the machine to be as it was').catch(() => undefined);
  return found;
}

export function difference(before: readonly string[], after: readonly string[]): string[] {
  const [old, now] = [new Set(before), new Set(after)];
  const gone = before.filter(line => !now.has(line)).map(line => `- ${line}`);
  const added = after.filter(line => !old.has(line)).map(line => `+ ${line}`);
  if (gone.length + added.length > 0 || before.join('\n') === after.join('\n')) return [...gone, ...added];
  return ['the same lines in another order, or another number of them'];
}

/**
 * Rules, own chains and policies. iptables prints a built-in chain once somebody has used its table, which is no
 * difference; counters and times aren't either.
 */
function significant(saved: string): string[] {
  const lines = saved
    .replaceAll(FOR_SUBNETS, '')
    .split('\n')
    .filter(line => !/^(#|\*|COMMIT|:[A-Z]+ ACCEPT )/.test(line));
  return lines.map(line => line.replace(/\[\d+:\d+\]/, ''));
}

/** What stays: not `ps` itself, not what systemd and libvirt start by themselves as they see fit. */
function lasting(processes: string): string[] {
  const passing = /^(ps |\(|\[|\S*\/logger |\S*\/virtlogd|\S*\/systemd-|\S*\/udevadm)/;
  return processes
    .split('\n')
    .filter(line => !passing.test(line))
    .sort();
}
