/**
 * The filter in nftables: a table of our own per family, with sets that count and verdict maps.
 *
 * Goals: one transaction for all changes; nothing outside of our own table.
 *
 * Tension: after our accept, other tables on the same hook may still drop the packet (foreign/passages.ts). And replacing
 * the table would lose the counters of its sets, so chains are flushed and refilled, while sets stay.
 */
import { format } from '../../model/address.ts';
import { FAMILIES, type Family, isSingle, type Prefix } from '../../model/prefix.ts';
import { entriesOf } from '../../model/view.ts';
import { parseRuleset, RULESET } from '../foreign/parse-nft.ts';
import type { Firewall, Look, Tally } from '../rules/backend.ts';
import { countingSets, DISPATCH, overOf } from '../rules/sets.ts';
import { readBudgets, withBudgets } from './budgets.ts';
import { parseListing } from './listing.ts';
import { installRules, probeRules, removeRules } from './policy.ts';
import { installForwards, probeForwards, removeForwards } from './port-forwards.ts';
import { entries, mapOf } from './sets.ts';
import { baseOf, FORESIGHT } from './table.ts';
import { chainKey, deletion, renderRule, tableOf } from './text.ts';

/** Our tables with the entries of their sets. */
const whole = (families: readonly Family[]): Look => ({
  commands: families.map(family => ({
    argv: ['nft', '-j', 'list', 'table', ...tableOf(family).split(' ')],
    failsIfEmpty: true,
  })),
  parse: texts => {
    const views = texts.map(text => parseListing(text, false));
    return {
      chains: new Map(views.flatMap(({ chains }) => [...chains])),
      sets: new Map(views.flatMap(({ sets }) => [...sets])),
    };
  },
});

// The whole ruleset instead of our tables: so the same process also shows what others have changed.
const BRIEF: Look = {
  commands: [{ argv: RULESET }],
  parse: ([listing = '']) => ({
    ...parseListing(listing, true),
    foreign: { tables: parseRuleset(listing), complete: false, carry: [] },
    budgets: readBudgets(listing),
  }),
};

// Every look runs this command anyway, for the foreign filters.
const TRACES: Look = {
  commands: [{ argv: RULESET, failsIfEmpty: true }],
  parse: ([listing = '']) => parseListing(listing, true),
};

function tally(prefixes: readonly Prefix[]): Tally | undefined {
  // `nft get element` doesn't print the counter of a subnet (1.0.6).
  if (!prefixes.every(isSingle)) return undefined;
  const ask = prefixes.flatMap(prefix => {
    const table = tableOf(prefix.family);
    return countingSets(prefix.family).map(name => `get element ${table} ${name} { ${format(prefix)} }`);
  });
  return { tool: 'nft', ask, own: [] };
}

export const nftables = (families: readonly Family[]): Firewall => ({
  name: 'nftables',
  foresight: FORESIGHT,
  families,
  looks: { all: withBudgets(whole(FAMILIES)), own: whole(FAMILIES), brief: BRIEF, traces: TRACES },
  counters: () => whole(families),
  tally,
  base: (config, uplinks) => families.flatMap(family => baseOf(family, config, uplinks)),
  chainKey: (_, chain, family) => chainKey(chain, family),
  linesOf: (rule, family) => renderRule(rule, family).length,
  closingLines: 0,
  limitSubnets: () => [],
  sufficesForStart: () => true,
  entries,
  exceeding: (set, _, filter) => [...entriesOf(filter, overOf(set) ?? set).keys()],
  ruledMaps: family => DISPATCH.map(({ name }) => mapOf(family, name)),
  removeChains: (names, { filter }) => FAMILIES.flatMap(family => deletion(names, family, filter.chains)),
  probeRules,
  installRules,
  removeRules,
  probeForwards,
  installForwards,
  removeForwards,
  former: () => [],
});
