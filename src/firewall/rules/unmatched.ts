/** Rules of domains that match nothing on this host. */
import { format, parsePrefix, parseSubnet } from '../../model/address.ts';
import { type Config, rangesOf } from '../../model/config.ts';
import { insideNets } from '../../model/inside.ts';
import type { PolicyRule } from '../../model/policy.ts';
import { contains, FAMILIES, overlaps, type Prefix } from '../../model/prefix.ts';
import { UNROUTED } from '../../model/reserved.ts';
import type { Uplinks } from '../../model/uplink.ts';
import type { View } from '../../model/view.ts';

/** No packet that is forwarded has such a source: loopback, link-local, multicast, "this network" (RFC 6890). */
const NOBODY = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/3', '::1/128', 'fe80::/10', 'ff00::/8'].map(
  parsePrefix,
);

const holds = (nets: readonly Prefix[], one: Prefix): boolean => nets.some(net => contains(net, one));

/** Whether only a look at the host tells if an inbound rule matches anything: it names a private network. */
export const isDoubtful = ({ direction, peer }: PolicyRule): boolean =>
  direction === 'inbound' && peer !== undefined && holds([...NOBODY, ...UNROUTED[peer.family]], peer);

/**
 * Why a doubtful rule matches nothing; undefined where it may match. The provider of a host that has a private address
 * itself may route any private network.
 */
export function whyNever(
  { peer }: PolicyRule,
  config: Config,
  uplinks: Uplinks,
  view: Pick<View, 'links' | 'addresses' | 'configured'>,
): string | undefined {
  if (peer === undefined) return undefined;
  if (holds(NOBODY, peer)) return `no packet from outside has an address of ${format(peer)} as its source`;
  const here = uplinks.flatMap(({ device }) => (view.addresses.get(device) ?? []).map(parseSubnet));
  if (here.some(net => holds(UNROUTED[net.family], net))) return undefined;
  const known = [
    ...FAMILIES.flatMap(family => [...rangesOf(family, config), ...insideNets(family, uplinks, view)]),
    // The provider's own network, or another router's on the uplink.
    ...(view.configured ?? []).filter(({ type }) => type === 'unicast').map(({ prefix }) => prefix),
  ].filter(({ length }) => length > 1);
  if (known.some(net => overlaps(net, peer))) return undefined;
  return `${format(peer)} is private, and no interface or route of this host leads there`;
}
