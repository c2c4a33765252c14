/** Our chains in the tables of iptables, and the jumps into them: what stands whether a domain runs or not. */

import { digest } from '../../model/names.ts';
import type { Family } from '../../model/prefix.ts';
import type { RuleLine, View } from '../../model/view.ts';
import { type Action, run } from '../../resources/action.ts';
import { ABSENT, changed, type Finding, overall, PRESENT, type Resource } from '../../resources/resource.ts';
import type { Chain, Entrance, HookPoint, Ruleset } from '../rules/rules.ts';
import { labelled } from '../rules/rules.ts';
import { DISPATCH } from '../rules/sets.ts';
import { renderRule, tableKey, targetOf } from './text.ts';

export const TABLES = ['raw', 'filter', 'nat'] as const;
type Table = (typeof TABLES)[number];

const BUILTIN: Readonly<Record<HookPoint, readonly [Table, string]>> = {
  'raw-prerouting': ['raw', 'PREROUTING'],
  'filter-forward': ['filter', 'FORWARD'],
  'filter-input': ['filter', 'INPUT'],
  'filter-output': ['filter', 'OUTPUT'],
  'nat-postrouting': ['nat', 'POSTROUTING'],
};

type Chains = ReadonlyMap<string, readonly RuleLine[]>;

/** Each family has its own tools. */
export const TOOL: Readonly<Record<Family, string>> = { 4: 'iptables', 6: 'ip6tables' };

export const restore = (table: Table, family: Family, lines: readonly string[]): Action =>
  run([`${TOOL[family]}-restore`, '-w', '10', '--noflush'], [`*${table}`, ...lines, 'COMMIT', ''].join('\n'));

/**
 * The lines of a chain, and a last one that bears the fingerprint and does nothing. No packet gets as far as its comment,
 * to ask which would cost it a call, as each of iptables' extensions does.
 */
export function renderChain({ name, rules }: Chain, family: Family, mark: string): string[] {
  const lines = rules.flatMap(rule => renderRule(rule, family));
  return [...lines, `-i hnet -m comment --comment ${mark} -j RETURN`].map(line => `-A ${name} ${line}`);
}

/** One table: our chains in it, and the jumps into them. */
export function tableResource(table: Table, rules: Ruleset, family: Family): Resource {
  const chains = rules.chains[table];
  const jumps = rules.entrances
    .filter(({ point }) => BUILTIN[point][0] === table)
    .map(jump => toJump(jump, family));
  const mark = `hnet:${digest(JSON.stringify([chains, jumps], (_, value) => (typeof value === 'bigint' ? String(value) : value)))}`;
  const dispatch = table === 'filter' ? DISPATCH.map(({ name }) => name) : [];
  const key = tableKey(table, family);
  return {
    key: `table ${key}`,
    label: labelled(`${table} table`, family),
    probe: ({ filter }) => {
      const findings = [
        ...chains.map(chain => probeChain(filter.chains, table, chain, family, mark)),
        ...dispatch.map(name => (filter.chains.has(`${key} ${name}`) ? PRESENT : ABSENT)),
        ...jumps.map(({ builtin, line }) => probeJump(filter.chains.get(`${key} ${builtin}`), builtin, line)),
      ];
      return overall(findings);
    },
    up: view => [
      restore(table, family, [
        ...dispatch.filter(name => !view.filter.chains.has(`${key} ${name}`)).map(name => `:${name} - [0:0]`),
        ...chains.map(({ name }) => `:${name} - [0:0]`),
        ...chains.flatMap(chain => renderChain(chain, family, mark)),
        ...oldJumps(key, view),
        ...jumps.map(({ builtin, line }) => `-I ${builtin} 1 ${line}`),
      ]),
    ],
    down: view => {
      const ours = ownChains(key, view);
      const lines = [
        ...ours.map(chain => `:${chain} - [0:0]`),
        ...oldJumps(key, view),
        ...ours.map(chain => `-X ${chain}`),
      ];
      return ours.length === 0 ? [] : [restore(table, family, lines)];
    },
  };
}

function toJump({ point, when, chain }: Entrance, family: Family): { builtin: string; line: string } {
  return {
    builtin: BUILTIN[point][1],
    line: renderRule({ when, verdict: { do: 'jump', chain } }, family)[0] ?? '',
  };
}

export function probeChain(
  chains: Chains,
  table: Table,
  chain: Chain,
  family: Family,
  mark: string,
): Finding {
  const actual = chains.get(`${tableKey(table, family)} ${chain.name}`);
  const wanted = renderChain(chain, family, mark).length;
  if (actual === undefined) return ABSENT;
  if (actual.length !== wanted) return changed(`${chain.name} has ${actual.length} rules, not ${wanted}`);
  return actual.at(-1)?.text.includes(mark) ? PRESENT : changed(`${chain.name} has other rules`);
}

function probeJump(actual: readonly RuleLine[] = [], builtin: string, jump: string): Finding {
  const places = actual.flatMap(({ text }, index) => (targetOf(text) === targetOf(jump) ? [index] : []));
  if (places.length === 0) return ABSENT;
  return places.length === 1 && places[0] === 0 ? PRESENT : changed(`its jump isn't first in ${builtin}`);
}

/** Our chains that stand in a table, whichever version of hnet made them. */
function ownChains(table: string, { filter }: View): string[] {
  const names = [...filter.chains.keys()].filter(key => key.startsWith(`${table} hnet-`));
  return names.map(key => key.slice(table.length + 1));
}

/** Deletes whatever leads into our chains from built-in ones, as this iptables itself printed it. */
function oldJumps(table: string, { filter }: View): string[] {
  const builtins = [...filter.chains].filter(
    ([key]) => key.startsWith(`${table} `) && !key.startsWith(`${table} hnet-`),
  );
  return builtins.flatMap(([key, rules]) =>
    rules
      .filter(({ text }) => targetOf(text)?.startsWith('hnet-'))
      .map(({ text }) => `-D ${key.slice(table.length + 1)} ${text}`),
  );
}
