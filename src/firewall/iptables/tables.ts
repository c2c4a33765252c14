/** Our chains in the tables of iptables, and the jumps into them: what exists whether a domain runs or not. */
import { exactJson } from '../../model/json.ts';
import type { Family } from '../../model/prefix.ts';
import type { FilterView, RuleLine } from '../../model/view.ts';
import type { Action } from '../../resources/action.ts';
import { ABSENT, changed, type Finding, overall, PRESENT, type Resource } from '../../resources/resource.ts';
import { markOf, probeChain } from '../rules/fingerprint.ts';
import { type HookPoint, jump, labelled, rule, type Table } from '../rules/rules.ts';
import type { Ruleset } from '../rules/ruleset.ts';
import { DISPATCH } from '../rules/sets.ts';
import { declare, deletion, jumpsAway, restore, written } from './chain.ts';
import { renderRule, tableKey, targetOf } from './text.ts';

export const TABLES = ['raw', 'filter', 'nat'] as const;

const BUILTIN: Readonly<Record<HookPoint, readonly [Table, string]>> = {
  'raw-prerouting': ['raw', 'PREROUTING'],
  'filter-forward': ['filter', 'FORWARD'],
  'filter-input': ['filter', 'INPUT'],
  'filter-output': ['filter', 'OUTPUT'],
  'nat-postrouting': ['nat', 'POSTROUTING'],
};

type Chains = FilterView['chains'];

/** One table: our chains in it, and the jumps into them. */
export function tableResource(table: Table, rules: Ruleset, family: Family): Resource {
  const contents = contentsOf(table, rules, family);
  return {
    key: `table ${contents.key}`,
    label: labelled(`${table} table`, family),
    probe: ({ filter }) => probe(contents, filter.chains),
    up: ({ filter }) => [install(contents, filter.chains)],
    down: ({ filter }) => removal(contents, filter.chains),
  };
}

/** One table of one family, as it shall be. */
type Contents = ReturnType<typeof contentsOf>;

function contentsOf(table: Table, rules: Ruleset, family: Family) {
  const jumps = rules.entrances
    .filter(({ point }) => BUILTIN[point][0] === table)
    .map(({ point, when, chain }) => ({
      builtin: BUILTIN[point][1],
      line: renderRule(rule(jump(chain), ...when), family)[0] ?? '',
    }));
  const mark = markOf(exactJson([rules.chains[table], jumps]));
  const chains = rules.chains[table].map(chain => written(chain, family, mark));
  // Dispatch chains are made empty; the rules of domains fill them.
  const dispatch = table === 'filter' ? DISPATCH.map(({ name }) => name) : [];
  return { table, family, chains, jumps, dispatch, key: tableKey(table, family), mark };
}

const probe = ({ chains, jumps, dispatch, key, mark }: Contents, actual: Chains): Finding =>
  overall([
    ...chains.map(chain => probeChain(chain, mark, actual.get(`${key} ${chain.name}`))),
    ...dispatch.map(name => (actual.has(`${key} ${name}`) ? PRESENT : ABSENT)),
    ...jumps.map(({ builtin, line }) => probeJump(actual.get(`${key} ${builtin}`), builtin, line)),
  ]);

function probeJump(actual: readonly RuleLine[] = [], builtin: string, jump: string): Finding {
  const places = actual.flatMap(({ text }, index) => (targetOf(text) === targetOf(jump) ? [index] : []));
  if (places.length === 0) return ABSENT;
  return places.length === 1 && places[0] === 0 ? PRESENT : changed(`its jump isn't first in ${builtin}`);
}

/** A dispatch chain that exists is left alone: running domains have rules in it. */
const install = ({ table, family, chains, jumps, dispatch, key }: Contents, actual: Chains): Action =>
  restore(table, family, [
    ...dispatch.filter(name => !actual.has(`${key} ${name}`)).map(declare),
    ...chains.map(({ name }) => declare(name)),
    ...chains.flatMap(({ lines }) => lines),
    ...oldJumps(key, actual),
    ...jumps.map(({ builtin, line }) => `-I ${builtin} 1 ${line}`),
  ]);

/** Removes all our chains from the table, whichever version of hnet made them. */
function removal({ table, family, key }: Contents, actual: Chains): Action[] {
  const names = [...actual.keys()].filter(name => name.startsWith(`${key} hnet-`));
  const ours = names.map(name => name.slice(key.length + 1));
  return deletion(table, family, ours, oldJumps(key, actual));
}

/** Deletes every jump from a built-in chain into our chains. */
const oldJumps = (key: string, actual: Chains): string[] =>
  [...actual]
    .filter(([name]) => name.startsWith(`${key} `) && !name.startsWith(`${key} hnet-`))
    .flatMap(([name, rules]) =>
      jumpsAway(name.slice(key.length + 1), target => target.startsWith('hnet-'), rules),
    );
