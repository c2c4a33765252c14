/** The sets that the filter asks, and the chains that lead to the rules of single domains. */

import type { Config } from '../../model/config.ts';
import { FAMILIES, type Family, type Prefix } from '../../model/prefix.ts';
import type { SetSpec } from './rules.ts';

/** The sets of a family. Their names fit ipset's 31 bytes and nftables' alike. */
export const setNames = (family: Family) => ({
  /** Public addresses, as destination and as source: an entry's counters are shared by all who match it. */
  in: `hnet${family}-in`,
  out: `hnet${family}-out`,
  /** Bootstrap scopes of running domains; of IPv4 only. */
  scopes: `hnet${family}-scopes`,
  /** Pools and scopes: what belongs to domains, of this host. */
  near: `hnet${family}-near`,
  /** The same without the uplink's own subnet: never a source of packets from outside. */
  ours: `hnet${family}-ours`,
  /** Addresses of domains with rules of their own. */
  tracked: `hnet${family}-tracked`,
  /** Addresses of domains that have nothing to do with their neighbours. */
  isolated: `hnet${family}-isolated`,
  /** Addresses of running domains that have just got their first rules; entries end by themselves. */
  settling: `hnet${family}-settling`,
  /** Bridges whose domains have just solicited neighbours; of IPv6 only. */
  soliciting: `hnet${family}-soliciting`,
});

/** The sets of ranges, and of bridges. All others hold the addresses of domains, of which there may be thousands. */
export const WITHOUT_ADDRESSES: ReadonlySet<string> = new Set(
  FAMILIES.map(setNames).flatMap(({ scopes, near, ours, soliciting }) => [scopes, near, ours, soliciting]),
);

/** Those whose entries count: what comes to an address, and what it sends. */
export const countingSets = (family: Family): readonly [string, string] => {
  const { in: to, out } = setNames(family);
  return [to, out];
};

export const COUNTING: ReadonlySet<string> = new Set(FAMILIES.flatMap(countingSets));

export type SetNames = ReturnType<typeof setNames>;

/**
 * The chains that lead to the rules of single domains, by the domain's address: their contents come and go with
 * them. `to` is which of its chains.
 */
export const DISPATCH = [
  { name: 'hnet-inbound-rules', side: 'destination', to: 'inbound' },
  { name: 'hnet-outbound-rules', side: 'source', to: 'outbound' },
  { name: 'hnet-midstream-in', side: 'destination', to: 'midstreamIn' },
  { name: 'hnet-midstream-out', side: 'source', to: 'midstreamOut' },
] as const;

/** What the configuration gives to domains. */
export const rangesOf = (family: Family, { pools, dhcp }: Config): Prefix[] =>
  [...pools, ...dhcp.scopes].filter(range => range.family === family);

/** How long such a domain's new flows may be old ones, in seconds: see chains-forward.ts. */
export const SETTLING = 2;

/**
 * A domain makes the host note a neighbour by each solicitation, under any link-local address, and all bridges share
 * the kernel's table (1,024 entries by default, which live five seconds at least). So many it may send from a bridge in
 * {@link SOLICITING} seconds; a system that boots sends a handful.
 */
export const SOLICITATIONS = 40;
export const SOLICITING = 2;

/** What there is in one family alone: translated scopes, and solicitations. */
const ONLY: Partial<Record<keyof SetNames, Family>> = { scopes: 4, soliciting: 6 };

export function setSpecs(family: Family, sets: SetNames): SetSpec[] {
  const keys = (Object.keys(sets) as (keyof SetNames)[]).filter(key => (ONLY[key] ?? family) === family);
  return keys.map(key => ({
    name: sets[key],
    counters: COUNTING.has(sets[key]),
    ...(key === 'settling' ? { timeout: SETTLING } : {}),
    ...(key === 'soliciting' ? { timeout: SOLICITING, ofBridges: true } : {}),
  }));
}
