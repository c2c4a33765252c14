/** The addresses of a domain, and the bridges that carry them. */
import { contains, isSingle, type Prefix } from './prefix.ts';

/** One address (or subnet) of a domain, with the bridge and scope that were chosen when it was assigned. */
export interface Address {
  readonly prefix: Prefix;
  readonly bridge: string;
  /** The bridge's private subnet, from which the bootstrap lease comes. */
  readonly scope: Prefix;
  /** The domain's own address that routes it on: nobody on the bridge has one of its addresses. */
  readonly via?: Prefix;
  /** The uplink on whose wire the host answers for it; without one, the provider routes it here. */
  readonly wire?: string;
}

/** Whether it is an address of its bridge's private subnet: its domain leases it, and the Internet never sees it. */
export const isPrivate = ({ prefix, scope }: Pick<Address, 'prefix' | 'scope'>): boolean =>
  contains(scope, prefix);

/** The addresses that the Internet sees. */
export const publicOf = (addresses: readonly Address[]): Prefix[] =>
  addresses.filter(one => !isPrivate(one)).map(({ prefix }) => prefix);

/** What a bridge is made from: its name, whose it is, and its private subnet. */
export interface BridgeSpec {
  readonly name: string;
  readonly domain: string;
  readonly scope: Prefix;
  /** The addresses on it, without those that its domain routes on; of IPv6 any one makes IPv6 be switched on. */
  readonly prefixes: readonly Prefix[];
}

/** Whether it is a subnet for whose every address the host looks on the bridge. */
export const isLookedFor = ({ prefix, via }: Address): boolean => !isSingle(prefix) && via === undefined;

export const hasIpv6 = ({ prefixes }: BridgeSpec): boolean => prefixes.some(({ family }) => family === 6);

/** The bridges of some addresses, each once: several addresses may share one. */
export function bridgesOf(domain: string, addresses: readonly Address[]): BridgeSpec[] {
  const specs = new Map<string, BridgeSpec>();
  for (const { bridge: name, scope, prefix, via } of addresses) {
    const earlier = specs.get(name)?.prefixes ?? [];
    specs.set(name, { name, domain, scope, prefixes: via === undefined ? [...earlier, prefix] : earlier });
  }
  return [...specs.values()];
}

/** The host's end of an interface. */
export interface Tap {
  readonly name: string;
  readonly isOff: boolean;
}

/** Bridge → the taps of a running domain that belong in it. */
export type Taps = ReadonlyMap<string, readonly Tap[]>;
