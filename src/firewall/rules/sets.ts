/** The sets that the filter looks up, and the chains that lead to the rules of single domains. */
import type { Allowance } from '../../model/allowance.ts';
import { FAMILIES, type Family, isSingle, type Prefix } from '../../model/prefix.ts';
import type { Action } from '../../resources/action.ts';

/** The first of its tables in which a backend can tell by which bridge a packet will leave. */
export type Foresight = 'raw' | 'mangle';

export interface SetSpec {
  readonly name: string;
  readonly counters: boolean;
  /** Its entries expire after so many seconds. */
  readonly timeout?: number;
  /** What rules of the filter add to it; without this its entries are hnet's. */
  readonly learns?: 'bridges' | 'addresses' | 'services';
}

/** How a backend changes a set. Adding an entry that exists, and removing one that doesn't, are no errors. */
export interface SetEntries {
  readonly add: (set: string, prefix: Prefix) => Action;
  readonly remove: (set: string, prefix: Prefix) => Action;
  /** At least the addresses of some prefixes, as entries among which a lookup is quick. */
  readonly roughly: (prefixes: readonly Prefix[]) => readonly Prefix[];
}

/** What the sets of a family are for. The order is that in which they come up. */
const ROLES = [
  /** Public addresses, as destination and as source; their entries count the packets that match them. */
  'in',
  'out',
  /** Bootstrap scopes of running domains; IPv4 only. */
  'scopes',
  /** At least all pools, which are where domains of this host have addresses, and what `kept` holds. */
  'near',
  /** What may be tracked though a domain without rules sends it: to scopes, to `inside`, and to `reserved`. */
  'kept',
  /** Networks on the host's other interfaces. */
  'inside',
  /** Pools and scopes without the uplink's own subnet: packets from outside never have such a source. */
  'ours',
  /** Subnets that domains hold, without those that a domain routes on. */
  'held',
  /** Addresses of these that have sent something lately, and those that have just been sent something. */
  'seen',
  'tried',
  /** Bridges of which addresses have just become known, and bridges to which of others something was sent. */
  'appearing',
  'unseen',
  /** What the Internet doesn't route and no domain may send to by the uplink. */
  'reserved',
  /** Addresses of domains with rules of their own. */
  'tracked',
  /**
   * What `tracked`, `partly` and `held` hold, as sources: one lookup tells that none of them does. Only where a set can hold
   * what hnet adds beside what packets add, and subnets too.
   */
  'particular',
  /** Addresses to which somebody translates other destinations; and with protocol and port, what is called so. */
  'partly',
  'translated',
  /** Addresses of domains that exchange nothing with other domains. */
  'isolated',
  /** Addresses of running domains that have just got their first rules; entries expire. */
  'settling',
  /** Bridges whose domains have just solicited neighbours; IPv6 only. */
  'soliciting',
  /** Bridges whose domains have just sent messages to the DHCP server. */
  'asking',
] as const;

export type SetNames = Readonly<Record<(typeof ROLES)[number], string>>;

/** They fit ipset's 31 bytes, and nftables. */
export const setNames = (family: Family): SetNames =>
  Object.fromEntries(ROLES.map(role => [role, `hnet${family}-${role}`] as const)) as SetNames;

/** Sets that count what domains send too much of. */
const NOTED_ON = new Set(FAMILIES.map(setNames).flatMap(({ soliciting, asking }) => [soliciting, asking]));

/** Where nftables notes the bridges that exceed the allowance of a set, if that is done; ipset's own entries tell. */
export const overOf = (set: string): string | undefined => (NOTED_ON.has(set) ? `${set}-over` : undefined);

/** For so many seconds after a packet too many its bridge is noted. */
export const NOTED = 10;

/** The sets that hold single addresses of domains, perhaps thousands, beside subnets. */
const OF_DOMAINS: readonly (keyof SetNames)[] = ['in', 'out', 'tracked', 'isolated', 'settling'];

/** The sets of ranges, and those to which rules add. */
export const WITHOUT_ADDRESSES: ReadonlySet<string> = new Set(
  FAMILIES.map(setNames).flatMap(names =>
    ROLES.filter(role => !OF_DOMAINS.includes(role)).flatMap(role =>
      [names[role], overOf(names[role]) ?? []].flat(),
    ),
  ),
);

/** The sets whose entries count: packets to an address, and packets from it. */
export const countingSets = (family: Family) => [setNames(family).in, setNames(family).out] as const;

export const COUNTING: ReadonlySet<string> = new Set(FAMILIES.flatMap(countingSets));

/** A set lookup costs about as much as twelve comparisons: where there are more ranges than this, it comes first. */
export const COMPARISONS = 8;

/** The chains that lead from a domain's address to one of its own chains (`to`); filled as domains come and go. */
export const DISPATCH = [
  { name: 'hnet-inbound-rules', side: 'destination', to: 'inbound' },
  { name: 'hnet-outbound-rules', side: 'source', to: 'outbound' },
  { name: 'hnet-midstream-in', side: 'destination', to: 'midstreamIn' },
  { name: 'hnet-midstream-out', side: 'source', to: 'midstreamOut' },
] as const;

/**
 * iptables' chain for packets to domains' addresses that pass. It is empty, so that these meet no lookup, until a domain
 * starts that holds a subnet.
 */
export const SUBNETS = 'hnet-subnets';

/** For so many seconds after a domain got its first rules, a flow that looks new may be an old one: see chains-filter.ts. */
export const SETTLING = 2;

/**
 * Each neighbour solicitation of a domain makes an entry in the host's neighbour table, which all bridges share (1,024 by
 * default, kept for at least 5 s). A booting system sends few.
 */
export const SOLICITATIONS: Allowance = { packets: 40, seconds: 2 };

/**
 * The DHCP server logs what it can't serve, and the system's log drops lines of a unit that writes too many. A system that
 * boots by network and then asks anew sends about a dozen messages for each interface.
 */
export const DHCP_MESSAGES: Allowance = { packets: 40, seconds: 10 };

/**
 * A packet to an address that is not in use makes an entry of the neighbour table, which lasts for some seconds before others
 * may take its place. Each bridge may have such entries for so many addresses; one that was sent something in the same time
 * is not counted again. So a subnet of as many addresses is never limited.
 */
export const UNSEEN: Allowance = { packets: 64, seconds: 4 };

/** An address is in use for so many seconds after it has sent something. */
const IN_USE = 900;

/** So many addresses of a bridge may become known: otherwise one domain's could fill the set. */
export const APPEARING: Allowance = { packets: 2048, seconds: 128 };

/** A flow of which no packet has come for so many seconds is forgotten: by then the kernel has forgotten it too (5 days). */
export const TRANSLATED = 432_000;

/**
 * In a set of ipset, what a packet adds gets the longest prefix length that is there (ipset(8), hash:net). This address of
 * nobody's makes that all bits, where a subnet is.
 */
export const WHOLE: Readonly<Record<Family, Prefix>> = {
  4: { family: 4, first: 0x7f000001n, length: 32 },
  6: { family: 6, first: 1n, length: 128 },
};

/** Adds an address to `particular`. */
export function lookCloser(one: Prefix, { add }: SetEntries): Action[] {
  const name = setNames(one.family).particular;
  return [...(isSingle(one) ? [] : [add(name, WHOLE[one.family])]), add(name, one)];
}

/** Sets that only one family has: IPv6 isn't translated, and IPv4 has no solicitations. */
const ONLY: Partial<Record<keyof SetNames, Family>> = { scopes: 4, soliciting: 6 };

export function setSpecs(family: Family, sets: SetNames, foresight: Foresight): SetSpec[] {
  const roles = ROLES.filter(
    role => (ONLY[role] ?? family) === family && (role !== 'particular' || foresight === 'mangle'),
  );
  return roles.map(role => ({
    name: sets[role],
    counters: COUNTING.has(sets[role]),
    ...PASSING[role],
  }));
}

const bridges = ({ seconds }: Allowance): Partial<SetSpec> => ({ timeout: seconds, learns: 'bridges' });

/** The sets whose entries end by themselves. */
const PASSING: Partial<Record<keyof SetNames, Partial<SetSpec>>> = {
  settling: { timeout: SETTLING },
  // What hnet adds stays.
  particular: { timeout: 0 },
  soliciting: bridges(SOLICITATIONS),
  asking: bridges(DHCP_MESSAGES),
  appearing: bridges(APPEARING),
  unseen: bridges(UNSEEN),
  seen: { timeout: IN_USE, learns: 'addresses' },
  tried: { timeout: UNSEEN.seconds, learns: 'addresses' },
  partly: { timeout: TRANSLATED, learns: 'addresses' },
  translated: { timeout: TRANSLATED, learns: 'services' },
};
