import type { Config } from '../model/config.ts';
import type { PeerAddress } from '../model/host-address.ts';
import type { Prefix } from '../model/prefix.ts';
import { surroundings, type Uplinks } from '../model/uplink.ts';
import { knownPeers } from './peers.ts';
import { ownName } from './self.ts';
import type { Peer } from './values.ts';

/** What domains' plans take from what is around this host: its uplinks, and its peers. */
export const around = (config: Config, uplinks: Uplinks) => ({
  ...surroundings(config, uplinks),
  peers: peerGateways(config),
});

/**
 * The other hosts' own IPv4 addresses: the gateway of guests that came from there and configure themselves. IPv6 guests have
 * the same link-local one everywhere. Undefined where the host is alone.
 */
export const peerGateways = ({ cluster }: Config): readonly Prefix[] | undefined =>
  cluster &&
  knownPeers(cluster)
    .flatMap(({ uplinks }) => uplinks)
    .filter(({ family }) => family === 4);

/**
 * What the other hosts have themselves, on their uplinks and on the wire: no domain gets it. Of a host that is down it is what
 * this one has noted.
 * @param seen what etcd says of those that are up, where it was asked
 */
export function peerAddresses(
  { cluster }: Pick<Config, 'cluster'>,
  seen?: { readonly hosts: ReadonlyMap<string, Peer> },
): PeerAddress[] {
  if (cluster === undefined) return [];
  const own = ownName(cluster);
  const peers = new Map<string, Peer>(knownPeers(cluster).map(one => [one.host, one]));
  for (const [name, one] of seen?.hosts ?? []) if (name !== own) peers.set(name, one);
  return [...peers.values()].flatMap(one => ownOf(one).map(address => ({ host: one.host, address })));
}

/** What a host has itself. */
export const ownOf = ({ uplinks, wire }: Pick<Peer, 'uplinks' | 'wire'>): Prefix[] => [...uplinks, ...wire];
