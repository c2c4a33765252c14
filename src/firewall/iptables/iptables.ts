/**
 * The filter in iptables and ipset, with whichever kind of iptables (nf_tables, legacy) the host uses.
 *
 * Goals: never flush, reorder or re-policy what belongs to others; what they drop stays dropped, and what we drop too. So
 * we are in raw and mangle, where a verdict of ours is none in their filter table, and before any rule of theirs that would
 * lead packets past us. Each table changes in one atomic commit.
 *
 * Tension: versions of iptables print the same rule differently. So a chain isn't compared as text: it ends with a rule
 * that carries a fingerprint of its table, and is in order if this and the number of rules are right.
 */
import { format } from '../../model/address.ts';
import type { Config } from '../../model/config.ts';
import { FAMILIES, type Family, type Prefix } from '../../model/prefix.ts';
import type { Uplinks } from '../../model/uplink.ts';
import { entriesOf, type FilterView } from '../../model/view.ts';
import { affecting, type Resource } from '../../resources/resource.ts';
import { parseSaved } from '../foreign/parse-iptables.ts';
import { withBudgets } from '../nftables/budgets.ts';
import type { Firewall, Look, Tally } from '../rules/backend.ts';
import { staticEntries } from '../rules/entries.ts';
import { ruleset } from '../rules/ruleset.ts';
import { countingSets } from '../rules/sets.ts';
import { TOOL } from './chain.ts';
import { inherited, knowsParticulars, limitSubnets } from './particular.ts';
import { installRules, probeRules, removal, removeRules } from './policy.ts';
import {
  removal as forwardRemoval,
  installForwards,
  probeForwards,
  removeForwards,
} from './port-forwards.ts';
import { entries, set } from './sets.ts';
import { formerly, TABLES, tableResource } from './tables.ts';
import { parseChains, parseSets, renderRule, setsNamedBy, tableKey } from './text.ts';

const saved = (families: readonly Family[]): Look['commands'] =>
  families.map(family => ({ argv: [`${TOOL[family]}-save`, '-c'] }));
const chainsOf = (families: readonly Family[], outputs: readonly string[]): FilterView['chains'] =>
  new Map(families.flatMap((family, index) => [...parseChains(outputs[index] ?? '', family)]));

const OWN: Look = {
  commands: [{ argv: ['ipset', 'save'] }, ...saved(FAMILIES)],
  parse: ([sets = '', ...chains]) => ({ sets: parseSets(sets), chains: chainsOf(FAMILIES, chains) }),
};

const brief = (families: readonly Family[]): Look => ({
  commands: saved(families),
  parse: outputs => {
    const chains = chainsOf(families, outputs);
    // The same text shows what others have changed since.
    const tables = families.flatMap((family, index) => parseSaved(outputs[index] ?? '', family));
    return { chains, sets: setsNamedBy(chains), foreign: { tables, complete: false, carry: [] } };
  },
});

const counters = (families: readonly Family[], prefixes?: readonly Prefix[]): Look => ({
  // `ipset restore` takes all commands of ipset, so one process prints two sets.
  commands: families.map(family => ({
    argv: ['ipset', 'restore'],
    stdin: countingSets(family)
      .map(name => `save ${name}\n`)
      .join(''),
    failsIfEmpty: true,
  })),
  // ipset can't print the counters of a single entry.
  parse: outputs => ({ sets: parseSets(outputs.join('\n'), prefixes), chains: new Map() }),
});

function tally(prefixes: readonly Prefix[]): Tally {
  const sets = prefixes.flatMap(prefix => countingSets(prefix.family).map(name => ({ name, prefix })));
  return {
    tool: 'ipset',
    ask: [...new Set(sets.map(({ name }) => `save ${name}`))],
    own: sets.map(({ name, prefix }) => `add ${name} ${format(prefix)} `),
  };
}

/** Its matches know routes only once the kernel has routed. */
const FORESIGHT = 'mangle';

function baseOf(family: Family, config: Config, uplinks: Uplinks): Resource[] {
  const rules = ruleset(family, config, uplinks, FORESIGHT);
  const tables = TABLES.filter(table => rules.chains[table].length > 0);
  return [
    ...rules.sets.map(spec => set(spec, family)),
    ...staticEntries(family, config, uplinks, entries),
    inherited(family),
    ...tables.map(table => tableResource(table, rules, family)),
  ].map(one => affecting(family, one));
}

const looks = (families: readonly Family[]): Firewall['looks'] => ({
  all: withBudgets(OWN),
  own: OWN,
  // Sets may be left where the rules are gone. A command fails where its tool isn't installed: nothing of ours exists.
  traces: { ...OWN, commands: OWN.commands.map(command => ({ ...command, failsIfEmpty: true })) },
  brief: brief(families),
});

/** Each bridge has an entry, and the kernel counts on it: `0.0.0.0/1,br116`. */
const exceeding: Firewall['exceeding'] = (set, { packets }, filter) =>
  [...entriesOf(filter, set)].flatMap(([entry, counter]) =>
    counter.packets > packets ? entry.split(',').slice(1) : [],
  );

const removeChains: Firewall['removeChains'] = (names, { filter: { chains } }) =>
  FAMILIES.flatMap(family => [...removal(names, family, chains), ...forwardRemoval(names, family, chains)]);

export const iptables = (families: readonly Family[]): Firewall => ({
  name: 'iptables',
  foresight: FORESIGHT,
  families,
  looks: looks(families),
  counters: prefixes => counters(families, prefixes),
  tally,
  base: (config, uplinks) => families.flatMap(family => baseOf(family, config, uplinks)),
  chainKey: (table, chain, family) => `${tableKey(table, family)} ${chain}`,
  linesOf: (rule, family) => renderRule(rule, family).length,
  closingLines: 1, // It carries the fingerprint.
  limitSubnets,
  sufficesForStart: filter => knowsParticulars(families, filter),
  entries,
  exceeding,
  ruledMaps: () => [], // The dispatch chains are no sets: `installRules` writes their jumps.
  removeChains,
  probeRules,
  installRules,
  removeRules,
  probeForwards,
  installForwards,
  removeForwards,
  former: ({ chains }) => formerly(FAMILIES, chains),
});
