import type { Config } from '../../model/config.ts';
import type { Family, Prefix } from '../../model/prefix.ts';
import type { Uplink } from '../../model/uplink.ts';
import type { FilterView, View } from '../../model/view.ts';
import type { Action, BatchTool } from '../../resources/action.ts';
import type { Resource } from '../../resources/resource.ts';
import type { Guarded } from './policy-chains.ts';
import type { Rule, Ruleset, SetEntries } from './rules.ts';

/** Commands that print a part of the filter, and how to read it. */
export interface Look {
  readonly commands: readonly LookCommand[];
  readonly parse: (outputs: readonly string[]) => FilterView;
}

export interface LookCommand {
  readonly argv: readonly string[];
  readonly stdin?: string;
  /** It fails where nothing of ours stands: that means empty. Any other failure must not be taken for it. */
  readonly failsIfEmpty?: true;
}

/** How to have counters told by the process that then deletes the entries which hold them. */
export interface Tally {
  readonly tool: BatchTool;
  /** What to say to it first. It prints `packets N bytes N` after each prefix, and that after the name of its set. */
  readonly ask: readonly string[];
  /** Where it prints more than that: each line that matters has one of these in it. */
  readonly own: readonly string[];
}

/** A packet filter: the same rules by different tools. What it enforces is in ruleset.ts. */
export interface Firewall {
  readonly name: 'iptables' | 'nftables';
  /** Those that are in use on this host. */
  readonly families: readonly Family[];
  /**
   * Ways to look at what stands. `all`: everything, of both families. `brief`: without the entries of sets, so that it costs the
   * same with 4,000 domains as with one. `traces`: whatever may be left of it where the other filter is in use, by name.
   */
  readonly looks: Readonly<Record<'all' | 'brief' | 'traces', Look>>;
  /** A look at the sets that count, alone: at what was counted for some prefixes, or for all. */
  readonly counters: (prefixes?: readonly Prefix[]) => Look;
  /** The same for a shell, and of some prefixes' own domain; undefined where no tool has words for it. */
  readonly tally: (prefixes: readonly Prefix[]) => Tally | undefined;
  /** Sets and chains, empty of addresses: the same on a host with no domain and with 4,000. */
  readonly base: (config: Config, uplink: Uplink) => Resource[];
  /** Where a chain stands in the view, and how many lines a rule has there. */
  readonly chainKey: (table: keyof Ruleset['chains'], chain: string, family: Family) => string;
  readonly linesOf: (rule: Rule, family: Family) => number;
  /** Entries of sets; removes those of a map in {@link ruledMaps} too. */
  readonly entries: SetEntries;
  /** What else than sets holds the addresses of domains with rules. */
  readonly ruledMaps: (family: Family) => readonly string[];
  /** Removes chains of domains' rules, and what leads to them. */
  readonly removeChains: (names: readonly string[], view: View) => readonly Action[];
  /** A domain's own rules of one family. Without any, a resource that makes sure there are none. */
  readonly policy: (guarded: Guarded, family: Family) => Resource;
}
