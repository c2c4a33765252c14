/** A VM that moves between hosts, and everybody who would miss it: the Internet, and a VM on each host. */

import { FAMILIES, type Family } from '../../src/model/prefix.ts';
import type { Cluster } from '../lab/cluster/cluster.ts';
import type { Guest } from '../lab/guest.ts';
import type { Hypervisor } from '../lab/hypervisor.ts';
import type { Lab } from '../lab/lab.ts';
import type { Machine } from '../lab/machine.ts';
import { type Loss, Pings } from '../lab/pings.ts';
import { isIpv6 } from '../lab/site.ts';
import type { Vm, VmOptions } from '../lab/vm.ts';
import { PATIENCE, until } from '../lab/wait.ts';

/** The traveller's addresses. */
export const TRAVELS: Readonly<Record<Family, string>> = { 4: '123.45.90.116', 6: '2001:db8:12:4900::116' };

/** Before hnet gives it a bridge. */
export const NIC = { type: 'network', source: 'default' } as const;
/** So many more answers are waited for when a move is over. */
export const AFTER = 30;

export interface Traveller {
  readonly vm: Vm;
  /** Whoever pings it: the Internet first, then a VM on h1, h2, … */
  readonly callers: readonly Machine[];
}

/** Runs hnet on a host; it must succeed. */
type Assign = (host: Hypervisor, ...argv: readonly string[]) => Promise<unknown>;

/** Defines the traveller on the first host, and gives it its addresses. @param options `boots: false` for one that is idle */
export async function defineTraveller(
  cluster: Cluster,
  assign: Assign,
  options: Pick<VmOptions, 'boots'> = {},
): Promise<Vm> {
  const [home] = cluster.hosts;
  if (home === undefined) throw new Error('Cannot travel: the cluster has no host');
  const append = `addr=${TRAVELS[4]} gw=${home.address} addr6=${TRAVELS[6]}`;
  const vm = await cluster.vm(home, { name: 'vm1', nic: NIC, append, ...options });
  await assign(home, 'assign', 'vm1', TRAVELS[4], TRAVELS[6]);
  return vm;
}

/** Starts the traveller on the first host, and a VM on each, in whose place a veth talks. */
export async function prepareTravel(lab: Lab, cluster: Cluster, assign: Assign): Promise<Traveller> {
  const vm = await defineTraveller(cluster, assign);
  await vm.start();
  const neighbours: Guest[] = [];
  for (const [index, host] of cluster.hosts.entries())
    neighbours.push(await neighbour(cluster, host, beside(index), assign));
  await vm.ready();
  return { vm, callers: [lab.internet, ...neighbours] };
}

const beside = (index: number) => ({
  name: `beside${index + 1}`,
  addresses: [`123.45.90.${117 + index - (index > 1 ? 4 : 0)}`, `2001:db8:12:4900::${117 + index}`],
});

/** A VM on a host, in whose place a veth talks. @param addresses of IPv4 first, then of IPv6 */
export async function neighbour(
  cluster: Cluster,
  host: Hypervisor,
  { name, addresses }: { readonly name: string; readonly addresses: readonly string[] },
  assign: Assign,
): Promise<Guest> {
  const vm = await cluster.vm(host, { name, nic: NIC, boots: false });
  await assign(host, 'assign', name, ...addresses);
  await vm.start();
  const bridge = /<source bridge='([^']+)'/.exec(await host.virsh('dumpxml', name))?.[1] ?? '';
  const guest = await host.guest({ name, bridge });
  for (const [place, address] of addresses.entries())
    await guest.static(address, place === 0 ? host.address : 'fe80::1');
  return guest;
}

/** Lets hnet's daemons and their followers run on all hosts. */
export async function followMoves({ hosts }: Pick<Cluster, 'hosts'>): Promise<void> {
  for (const host of hosts) {
    await host.unit('hnet-watch').start();
    const follows = async () => (await host.attempt(['pgrep', '-f', 'hnet.cjs follow'])).code === 0;
    await until(follows, PATIENCE, `the follower of ${host.name}`);
  }
}

export interface Lost extends Loss {
  readonly caller: string;
  readonly family: Family;
  readonly address: string;
}

/** Who pings, and what. */
export interface Way {
  readonly machine: Machine;
  readonly address: string;
}

/** Everybody, in both families of the traveller. */
export const allWays = ({ callers }: Traveller): Way[] =>
  callers.flatMap(machine => FAMILIES.map(family => ({ machine, address: TRAVELS[family] })));

/** What pings lose while something happens. @param wait for the answers to come again afterwards */
export async function lostDuring(
  ways: readonly Way[],
  work: () => Promise<unknown>,
  wait = (pings: Pings): Promise<unknown> => pings.more(AFTER),
): Promise<Lost[]> {
  const trains = await Promise.all(
    ways.map(async ({ machine, address }) => ({
      caller: machine.name,
      family: isIpv6(address) ? (6 as const) : (4 as const),
      address,
      pings: await Pings.start(machine, address),
    })),
  );
  await work();
  await Promise.all(trains.map(({ pings }) => wait(pings)));
  return Promise.all(trains.map(async ({ pings, ...way }) => ({ ...way, ...(await pings.stop()) })));
}
