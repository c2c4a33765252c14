/** What a routing daemon of a host in a cluster is told: which routes it carries, and to whom. */
import { format } from '../../model/address.ts';
import { FAMILIES, type Family, type Prefix } from '../../model/prefix.ts';
import type { Uplink } from '../../model/uplink.ts';
import type { ConfigFile } from '../file.ts';

export interface Routing {
  readonly cluster: string;
  readonly host: string;
  /** The interface between the hosts, and this host's addresses there. */
  readonly wire: string;
  readonly addresses: readonly Prefix[];
  readonly peers: readonly { readonly host: string; readonly wire: readonly Prefix[] }[];
  /** Hosts that hand on to all others what each tells them; none: every host tells every other. */
  readonly reflectors: readonly string[];
  readonly pools: readonly Prefix[];
  readonly uplinks: readonly Pick<Uplink, 'device' | 'host' | 'gateway' | 'gateway6'>[];
  /** Whether the provider is told by BGP too. */
  readonly isUpstream: boolean;
}

export type RoutingFormat = (routing: Routing) => ConfigFile[];

/** What concerns one family. */
export interface RoutingSide {
  readonly family: Family;
  readonly pools: readonly Prefix[];
  /** This host's address on the wire. */
  readonly own: Prefix;
  /** With whom it has a session; `isClient`: whom it tells what others told it. */
  readonly peers: readonly { readonly host: string; readonly address: Prefix; readonly isClient: boolean }[];
  /** Whether it has such peers. */
  readonly isReflector: boolean;
}

/** The private AS number (RFC 6996) of the hosts among themselves. */
export const HOSTS_AS = 65000;

/** The families that have a pool, and in which this host has an address on the wire. */
export function routingSides(routing: Routing): RoutingSide[] {
  const { pools, addresses, peers, reflectors } = routing;
  const isReflector = reflects(routing);
  return FAMILIES.flatMap(family => {
    const isOf = (one: Prefix): boolean => one.family === family;
    const own = addresses.find(isOf);
    const ranges = pools.filter(isOf);
    if (own === undefined || ranges.length === 0) return [];
    const sessions = peers.flatMap(({ host, wire }) => {
      const address = wire.find(isOf);
      if (address === undefined || !meets(host, routing)) return [];
      return [{ host, address, isClient: isReflector && !reflectors.includes(host) }];
    });
    return [{ family, pools: ranges, own, peers: sessions, isReflector }];
  });
}

const reflects = ({ host, reflectors }: Pick<Routing, 'host' | 'reflectors'>): boolean =>
  reflectors.includes(host);

/** Whether this host has a session with another one. */
export const meets = (peer: string, routing: Pick<Routing, 'host' | 'reflectors'>): boolean =>
  routing.reflectors.length === 0 || reflects(routing) || routing.reflectors.includes(peer);

/** Four bytes that no other host of the cluster has: its IPv4 address on the wire, or one of its own. */
export function routerId({ addresses, uplinks }: Routing): string | undefined {
  const all = [...addresses, ...uplinks.flatMap(({ host }) => host ?? [])];
  const first = all.find(({ family }) => family === 4);
  return first && format(first);
}

/** What an operator should know of the file, in lines that become comments. */
export function aboutFile(routing: Routing, name: string): string[] {
  const { cluster, host, wire, peers } = routing;
  const without = FAMILIES.filter(
    family =>
      routing.pools.some(pool => pool.family === family) &&
      !routing.addresses.some(address => address.family === family),
  );
  return [
    `The host "${host}" of the cluster "${cluster}", as of: hnet host --format ${name}`,
    peers.length === 0
      ? 'No other host is known yet: print it anew when one has joined.'
      : `The other hosts: ${peers.map(one => one.host).join(', ')}. When one joins or leaves, print it anew on each host.`,
    ...without.map(
      family =>
        `IPv${family} addresses stay where they are: ${wire} has no IPv${family} address of this host.`,
    ),
  ];
}
