import type { Action } from '../action.ts';
import type { Family, Prefix } from '../address.ts';
import type { Config } from '../config.ts';
import type { Resource } from '../resources/resource.ts';
import type { FilterView } from '../view.ts';
import type { Policy } from './policy.ts';
import type { Rule, Ruleset } from './rules.ts';
import type { Uplink } from './uplink.ts';

/** A running domain as the filter sees it. */
export interface Guarded {
  readonly domain: string;
  readonly addresses: readonly Prefix[];
  readonly scopes: readonly Prefix[];
  readonly policy: Policy;
}

/** Commands that print a part of the filter, and how to read it. What a failing command prints is empty. */
export interface Look {
  readonly commands: readonly { readonly argv: readonly string[]; readonly stdin?: string }[];
  readonly parse: (outputs: readonly string[]) => FilterView;
}

/** A packet filter: the same rules by different tools. What it enforces is in ruleset.ts. */
export interface Firewall {
  readonly name: 'iptables' | 'nftables';
  /**
   * Ways to look at what stands. `all`: everything. `brief`: without the entries of sets, so that it costs the
   * same with 4,000 domains as with one. `counters`: the sets that count, alone.
   */
  readonly looks: Readonly<Record<'all' | 'brief' | 'counters', Look>>;
  /** Sets and chains, empty of addresses: the same on a host with no domain and with 4,000. */
  readonly base: (config: Config, uplink: Uplink) => Resource[];
  /** Lets a public address through, and counts it, in both directions. */
  readonly address: (prefix: Prefix) => Resource;
  /** Lets a bootstrap scope out to the Internet in the host's name. */
  readonly scope: (scope: Prefix) => Resource;
  /** Where a chain stands in the view, and how many lines a rule has there. */
  readonly chainKey: (table: keyof Ruleset['chains'], chain: string, family: Family) => string;
  readonly linesOf: (rule: Rule, family: Family) => number;
  /** A domain's own rules. Without any, a resource that makes sure there are none. */
  readonly policy: (guarded: Guarded) => Resource[];
  /** Takes prefixes out of a domain's rules, which stay for its others. Each action may find nothing to do. */
  readonly release: (prefixes: readonly Prefix[]) => Action[];
}
