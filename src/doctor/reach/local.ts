/** Small things that are read for one domain: its interfaces, its neighbours, its leases, and who has the DHCP port. */
import * as v from 'valibot';
import type { Host } from '../../host/host.ts';
import { about } from '../../host/query.ts';
import { holdersOf } from '../../host/server-trouble.ts';
import { parseAddress } from '../../model/address.ts';
import type { Domain } from '../../model/domain.ts';
import type { Prefix } from '../../model/prefix.ts';
import { ifPossible } from '../../model/refusal.ts';
import type { View } from '../../model/view.ts';
import { readLeases } from '../../state/leases.ts';
import type { NicFacts } from './facts.ts';

/** libvirt's word for a domain's state; that it runs or doesn't, where virsh isn't installed. */
export const stateOf = (uuid: string, active: boolean, host: Host): string =>
  host.output(['virsh', '--quiet', '--connect', 'qemu:///system', 'domstate', uuid]).trim() ||
  (active ? 'running' : 'shut off');

export const factsOfNics = ({ nics }: Domain, { links }: Pick<View, 'links'>): NicFacts[] =>
  nics.map(({ mac, source, tap, isOff }) => {
    const link = tap === undefined ? undefined : links.get(tap);
    return {
      mac,
      source: source ?? null,
      link: isOff ? 'down' : 'up',
      tap: tap ?? null,
      port:
        tap === undefined || link === undefined
          ? null
          : { master: link.master ?? null, up: link.up, mtu: link.mtu },
    };
  });

/** What a bridge's server has leased to some MACs. */
export const leasedTo = (bridge: string, macs: readonly string[]): Prefix[] =>
  readLeases(bridge).flatMap(({ address, mac }) => (mac !== undefined && macs.includes(mac) ? address : []));

const neighbourSchema = v.object({ dst: v.string(), lladdr: v.string() });

/** Who has been seen on each bridge, by the kernel's neighbour tables. */
export function neighboursOn(bridges: readonly string[], host: Host): ReadonlyMap<string, Prefix[]> {
  const { seen } = host.query({ seen: about(bridges, name => `neigh show dev ${name}`) });
  return new Map(
    [...seen].map(([name, { found }]) => [
      name,
      found.flatMap(one => {
        const read = v.safeParse(neighbourSchema, one);
        return read.success ? (ifPossible(() => parseAddress(read.output.dst)) ?? []) : [];
      }),
    ]),
  );
}

/** Bridge → who else may keep its server from its port, `dnsmasq (pid 812)`; null: nobody. */
export function rivalsOn(bridges: readonly string[], host: Host): ReadonlyMap<string, string | null> {
  const holders = holdersOf(67, argv => host.output(argv));
  return new Map(
    bridges.map(bridge => {
      const rival = holders.find(({ device }) => device === undefined || device === bridge);
      return [bridge, rival === undefined ? null : `${rival.name} (pid ${rival.pid})`];
    }),
  );
}
