/** Hosts that forward to one guest, each in its own way: what the packets row compares. */

import { formatLong } from '../../src/model/address.ts';
import type { Guest } from '../lab/guest.ts';
import type { Host } from '../lab/host.ts';
import type { Lab } from '../lab/lab.ts';
import type { Machine } from '../lab/machine.ts';
import { assemble, type Backend, chooseIptables } from './crowded.ts';
import { member } from './members.ts';
import { costOf, type Flows, pump } from './pump.ts';

export interface Router {
  readonly host: Host;
  readonly guest: Guest;
  /** The guest's address and, for the sender, the host's MAC. */
  readonly to: { readonly mac: string; readonly address: string };
  /** The host's cable at the gateway. */
  readonly cable: string;
}

/** Nothing but routes. */
export async function bareRouter(lab: Lab, name: string): Promise<Router> {
  const host = await lab.host(name, { pools: [] });
  await bridgeOf(host, 0);
  return router(host, 0);
}

/** Ours with a crowd of addresses, of which the middle one gets the packets. */
export async function ownRouter(lab: Lab, name: string, count: number, backend: Backend): Promise<Router> {
  const host = await lab.host(name, { pools: [] });
  await assemble(host, count, backend);
  return router(host, count >> 1);
}

/** A pair of rules for each address in the FORWARD chain: as scripts do that add rules per domain. */
export async function pairRouter(
  lab: Lab,
  name: string,
  count: number,
  backend: Exclude<Backend, 'nftables'>,
): Promise<Router> {
  const host = await lab.host(name, { pools: [] });
  await chooseIptables(host, backend);
  const rules = Array.from({ length: count }, (_, number) => {
    const { bridge, prefix } = member(number).address;
    return [
      `-A FORWARD -o ${bridge} -d ${formatLong(prefix)} -j ACCEPT`,
      `-A FORWARD -i ${bridge} -s ${formatLong(prefix)} -j ACCEPT`,
    ];
  });
  const text = ['*filter', ':FORWARD DROP [0:0]', ...rules.flat(), 'COMMIT', ''].join('\n');
  await host.run(['iptables-restore'], { input: text, limit: 120_000 });
  await bridgeOf(host, count >> 1);
  return router(host, count >> 1);
}

async function bridgeOf(host: Host, number: number): Promise<void> {
  const { bridge, prefix } = member(number).address;
  await host.sh(`ip link add ${bridge} type bridge && ip link set ${bridge} up
    ip route add ${formatLong(prefix)} dev ${bridge}; sysctl -qw net.ipv4.ip_forward=1`);
}

async function router(host: Host, number: number): Promise<Router> {
  const { bridge, prefix } = member(number).address;
  const address = formatLong(prefix).replace(/\/.*/, '');
  const guest = await host.guest({ name: 'guest', bridge });
  // What becomes of a packet in the guest is no matter of the host's: it ends where it arrives.
  const end =
    'add table netdev t; add chain netdev t c { type filter hook ingress device eth0 priority 0; policy drop; }';
  await guest.run(['nft', end]);
  await host.run(['ip', 'neigh', 'replace', address, 'lladdr', guest.mac, 'dev', bridge, 'nud', 'permanent']);
  return { host, guest, to: { mac: host.site.mac, address }, cable: host.site.name };
}

/** What a packet costs that a sender sends through a router to its guest, in microseconds of processor time. */
export async function costThrough(sender: Machine, router: Router, flows: Flows): Promise<number> {
  const { guest, cable, to } = router;
  const arrived = async () => Number(await guest.read('/sys/class/net/eth0/statistics/rx_packets'));
  return costOf(await pump(sender, cable, to, flows, arrived));
}
