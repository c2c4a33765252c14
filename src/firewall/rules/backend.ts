import type { Allowance } from '../../model/allowance.ts';
import type { Config } from '../../model/config.ts';
import type { Family, Prefix } from '../../model/prefix.ts';
import type { Uplinks } from '../../model/uplink.ts';
import type { FilterView, View } from '../../model/view.ts';
import type { Action, BatchTool } from '../../resources/action.ts';
import type { Finding, Resource } from '../../resources/resource.ts';
import type { Chain, Rule, Table } from './rules.ts';
import type { Foresight, SetEntries } from './sets.ts';

/** Commands that print a part of the filter, and how to read their output. */
export interface Look {
  /** `failsIfEmpty`: the command fails where nothing of ours exists. A failure of any other is an error. */
  readonly commands: readonly {
    readonly argv: readonly string[];
    readonly stdin?: string;
    readonly failsIfEmpty?: true;
  }[];
  readonly parse: (outputs: readonly string[]) => FilterView;
}

/** How the process that deletes entries of sets prints their counters first. */
export interface Tally {
  readonly tool: BatchTool;
  /** What to send to it first. It prints the name of a set, then `packets N bytes N` after each prefix in it. */
  readonly ask: readonly string[];
  /** Where it prints more than was asked for: each line of interest contains one of these. */
  readonly own: readonly string[];
}

/** The rules of one domain in one family. */
export interface DomainRules {
  readonly family: Family;
  /** The domain's addresses and scopes. From these the dispatch chains lead to its chains. */
  readonly prefixes: readonly Prefix[];
  readonly names: Readonly<Record<'inbound' | 'outbound' | 'midstreamIn' | 'midstreamOut', string>>;
  readonly chains: readonly Chain[];
}

/** A domain's forwards of one family, as chains of the filter: of what comes in, and of what the host itself calls. */
export interface Calls {
  readonly family: Family;
  readonly incoming: Chain;
  readonly own: Chain;
}

/** A packet filter. Both backends enforce the same rules (ruleset.ts), with different tools. */
export interface Firewall {
  readonly name: 'iptables' | 'nftables';
  readonly foresight: Foresight;
  /** The address families in use on this host. */
  readonly families: readonly Family[];
  /**
   * Ways to read the filter. `all`: everything, of both families, with nft's tables of budgets. `own`: the same without
   * those, which need one command more. `brief`: without the entries of sets, so its cost doesn't
   * depend on the number of domains. `traces`: what this backend has left behind, where the other one is in use.
   */
  readonly looks: Readonly<Record<'all' | 'own' | 'brief' | 'traces', Look>>;
  /** Reads only the sets that count: the counters of some prefixes, or of all. */
  readonly counters: (prefixes?: readonly Prefix[]) => Look;
  /** The same for the release script, and for the prefixes of one domain; undefined where the tool has no command for it. */
  readonly tally: (prefixes: readonly Prefix[]) => Tally | undefined;
  /** Sets and chains without any domain's addresses. */
  readonly base: (config: Config, uplinks: Uplinks) => Resource[];
  /** The key of a chain in the view, and how many lines of the tool a rule becomes. */
  readonly chainKey: (table: Table, chain: string, family: Family) => string;
  readonly linesOf: (rule: Rule, family: Family) => number;
  /** How many lines a chain has after those of its rules. */
  readonly closingLines: number;
  /** What makes packets to subnets of domains meet their limit; nothing where they do. */
  readonly limitSubnets: (family: Family, filter: FilterView) => readonly Action[];
  /** Whether `brief` tells all that a start has to know. */
  readonly sufficesForStart: (filter: FilterView) => boolean;
  /** Adds and removes entries of sets; `remove` works on {@link ruledMaps} too. */
  readonly entries: SetEntries;
  /** The bridges that have lately sent more than an allowance, which a set counts; by `all`. */
  readonly exceeding: (set: string, allowance: Allowance, filter: FilterView) => readonly string[];
  /** Maps that hold addresses of domains with rules, beside the sets. */
  readonly ruledMaps: (family: Family) => readonly string[];
  /** Removes domains' own chains and the jumps to them. */
  readonly removeChains: (names: readonly string[], view: View) => readonly Action[];
  /** Finds, makes and removes the chains of a domain, and what leads to them. */
  readonly probeRules: (rules: DomainRules, filter: FilterView) => Finding;
  /** @param settling whether flows of the domain may be open that haven't been tracked so far */
  readonly installRules: (rules: DomainRules, settling: boolean, filter: FilterView) => readonly Action[];
  readonly removeRules: (rules: DomainRules, filter: FilterView) => readonly Action[];
  /** The same for ports of the host that lead to a domain. */
  readonly probeForwards: (calls: Calls, filter: FilterView) => Finding;
  readonly installForwards: (calls: Calls, filter: FilterView) => readonly Action[];
  readonly removeForwards: (calls: Calls, filter: FilterView) => readonly Action[];
  /** Removes what an earlier version had elsewhere; nothing while running domains may still need it. */
  readonly former: (filter: FilterView) => readonly Action[];
}
