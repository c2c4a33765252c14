/**
 * The filter in iptables and ipset, in whichever of its two kinds (nf_tables, legacy) the host uses.
 *
 * Goals: nothing of anyone else's is flushed, reordered or given a new policy; our jump stands first in each
 * built-in chain, or a foreign REJECT would precede it; every table changes in one atomic commit.
 *
 * Tension: iptables prints a rule back in a form that differs between its versions, so comparing texts would
 * see drift where there is none. Therefore every chain ends with a rule that carries a fingerprint of its table, and
 * a chain is as it should be if fingerprint and number of rules are.
 */
import { format } from '../../model/address.ts';
import type { Config } from '../../model/config.ts';
import { FAMILIES, type Family } from '../../model/prefix.ts';
import type { Uplink } from '../../model/uplink.ts';
import type { FilterView } from '../../model/view.ts';
import type { Firewall, Look } from '../rules/backend.ts';
import { staticEntries } from '../rules/entries.ts';
import { ruleset } from '../rules/ruleset.ts';
import { countingSets } from '../rules/sets.ts';
import { policy, removal } from './policy.ts';
import { entries, set } from './sets.ts';
import { TABLES, TOOL, tableResource } from './tables.ts';
import { parseChains, parseSets, renderRule, setsNamedBy, tableKey } from './text.ts';

const saved = (families: readonly Family[]): Look['commands'] =>
  families.map(family => ({ argv: [`${TOOL[family]}-save`, '-c'] }));
const chainsOf = (families: readonly Family[], outputs: readonly string[]): FilterView['chains'] =>
  new Map(families.flatMap((family, index) => [...parseChains(outputs[index] ?? '', family)]));

const ALL: Look = {
  commands: [{ argv: ['ipset', 'save'] }, ...saved(FAMILIES)],
  parse: ([sets = '', ...chains]) => ({ sets: parseSets(sets), chains: chainsOf(FAMILIES, chains) }),
};

export const iptables = (families: readonly Family[]): Firewall => ({
  name: 'iptables',
  families,
  looks: {
    all: ALL,
    // Sets stay where the rules are gone, so they have to be asked for too. Without the tools nothing was ever made.
    traces: { ...ALL, commands: ALL.commands.map(command => ({ ...command, failsIfEmpty: true })) },
    brief: {
      commands: saved(families),
      parse: outputs => {
        const chains = chainsOf(families, outputs);
        return { chains, sets: setsNamedBy(chains) };
      },
    },
  },
  counters: prefixes => ({
    // `ipset restore` takes any of ipset's commands: two sets in one process.
    commands: families.map(family => ({
      argv: ['ipset', 'restore'],
      stdin: countingSets(family)
        .map(name => `save ${name}\n`)
        .join(''),
      failsIfEmpty: true,
    })),
    // ipset gives an entry's counters only with all others.
    parse: outputs => ({ sets: parseSets(outputs.join('\n'), prefixes), chains: new Map() }),
  }),
  tally: prefixes => ({
    tool: 'ipset',
    ask: [...new Set(prefixes.flatMap(({ family }) => countingSets(family)))].map(name => `save ${name}`),
    own: prefixes.flatMap(prefix =>
      countingSets(prefix.family).map(name => `add ${name} ${format(prefix)} `),
    ),
  }),
  base: (config: Config, uplink: Uplink) =>
    families.flatMap(family => {
      const rules = ruleset(family, config, uplink);
      return [
        ...rules.sets.map(spec => set(spec, family)),
        ...staticEntries(family, config, uplink, entries),
        ...TABLES.filter(table => rules.chains[table].length > 0).map(table =>
          tableResource(table, rules, family),
        ),
      ];
    }),
  chainKey: (table, chain, family) => `${tableKey(table, family)} ${chain}`,
  linesOf: (rule, family) => renderRule(rule, family).length,
  entries,
  // The dispatch chains are written anew as a whole, by the rules of the domain.
  ruledMaps: () => [],
  removeChains: (names, view) => FAMILIES.flatMap(family => removal(names, family, view)),
  policy,
});
