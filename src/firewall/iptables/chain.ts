/** A chain in iptables: how it is written, and how it is recognised. */

import { digest } from '../../model/names.ts';
import type { Family } from '../../model/prefix.ts';
import type { FilterView } from '../../model/view.ts';
import { type Action, run } from '../../resources/action.ts';
import { ABSENT, changed, type Finding, PRESENT } from '../../resources/resource.ts';
import type { Chain, Table } from '../rules/rules.ts';
import { renderRule, tableKey } from './text.ts';

/** Each family has its own tools. */
export const TOOL: Readonly<Record<Family, string>> = { 4: 'iptables', 6: 'ip6tables' };

/** Lines for one table, applied at once or not at all. Chains that no line names stay as they are. */
export const restore = (table: Table, family: Family, lines: readonly string[]): Action =>
  run([`${TOOL[family]}-restore`, '-w', '10', '--noflush'], [`*${table}`, ...lines, 'COMMIT', ''].join('\n'));

/** Creates a chain, or empties it. */
export const declare = (name: string): string => `:${name} - [0:0]`;

/** Deletes chains of ours from a table. @param jumps lines that delete all jumps to them */
export const deletion = (
  table: Table,
  family: Family,
  names: readonly string[],
  jumps: readonly string[],
): Action[] =>
  names.length === 0
    ? []
    : [restore(table, family, [...names.map(declare), ...jumps, ...names.map(name => `-X ${name}`)])];

/** The fingerprint of a text. */
export const markOf = (text: string): string => `hnet:${digest(text)}`;

/**
 * A chain's lines, and a last one that does nothing and carries the fingerprint. `-i hnet` comes first in it and never
 * matches: matching the comment, like each of iptables' extensions, would cost every packet a call.
 */
export function renderChain({ name, rules }: Chain, family: Family, mark: string): string[] {
  const lines = rules.flatMap(rule => renderRule(rule, family));
  return [...lines, `-i hnet -m comment --comment ${mark} -j RETURN`].map(line => `-A ${name} ${line}`);
}

/** Whether a chain exists with the fingerprint and as many lines as it should have. */
export function probeChain(
  chains: FilterView['chains'],
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
