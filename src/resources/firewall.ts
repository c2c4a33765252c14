import type { Family, Prefix } from '../address.ts';
import type { Config } from '../config.ts';
import type { Resource } from './resource.ts';

/** What the filter must know of the host: where the Internet is, and which address stands for the bootstrap leases. */
export interface Uplink {
  readonly device: string;
  readonly host: Prefix;
  readonly gateway: Prefix | undefined;
}

/**
 * A packet filter that enforces the one idea, "the routing table is the truth", with a constant number of
 * rules: chains recognise our bridges by their device group, and addresses live in sets.
 */
export interface Firewall {
  /** Sets and chains, empty of addresses: the same on a host with no domain and with 4,000. */
  readonly base: (config: Config, uplink: Uplink) => Resource[];
  /** Lets a public address through, and counts it, in both directions. */
  readonly address: (prefix: Prefix) => Resource;
  /** Lets a bootstrap scope out to the Internet in the host's name. */
  readonly scope: (scope: Prefix) => Resource;
}

/** The sets, per family. Counters of one entry are shared by all who match it, so each direction has its own. */
export const setNames = (family: Family): { in: string; out: string; scopes: string } => ({
  in: `hnet${family}-in`,
  out: `hnet${family}-out`,
  scopes: `hnet${family}-scopes`,
});
