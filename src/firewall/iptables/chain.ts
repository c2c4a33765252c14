/** How our chains are written to a table of iptables, and deleted. */
import type { Family } from '../../model/prefix.ts';
import type { RuleLine } from '../../model/view.ts';
import { type Action, run } from '../../resources/action.ts';
import type { Chain, Table, Written } from '../rules/rules.ts';
import { renderRule, targetOf } from './text.ts';

/** The table in which earlier versions had what is in mangle now: what they accepted there met no later rule of others. */
export const FORMER = 'filter';
export type AnyTable = Table | typeof FORMER;

/** From here, which nat's built-in chains for incoming packets and for the host's own lead to, the domains' chains are reached. */
export const FORWARDS = 'hnet-forwards';

/** Each family has its own tools. */
export const TOOL: Readonly<Record<Family, string>> = { 4: 'iptables', 6: 'ip6tables' };

/** Lines for one table, applied at once or not at all. Chains that no line names stay as they are. */
export const restore = (table: AnyTable, family: Family, lines: readonly string[]): Action =>
  run([`${TOOL[family]}-restore`, '-w', '10', '--noflush'], [`*${table}`, ...lines, 'COMMIT', ''].join('\n'));

/** Creates a chain, or empties it. */
export const declare = (name: string): string => `:${name} - [0:0]`;

/** Deletes a chain's jumps to some chains, in the words in which iptables printed them. */
export function jumpsAway(from: string, isTarget: (to: string) => boolean, rules: readonly RuleLine[] = []) {
  const jumps = rules.filter(({ text }) => isTarget(targetOf(text) ?? ''));
  return jumps.map(({ text }) => `-D ${from} ${text}`);
}

/** Deletes chains of ours from a table. @param jumps lines that delete all jumps to them */
export const deletion = (table: AnyTable, family: Family, names: string[], jumps: string[]): Action[] =>
  names.length === 0
    ? []
    : [restore(table, family, [...names.map(declare), ...jumps, ...names.map(name => `-X ${name}`)])];

/**
 * A chain's last line does nothing and carries the fingerprint. `-i hnet` comes first in it and never matches: matching the
 * comment, like each of iptables' extensions, would cost every packet a call.
 */
export function written({ name, rules }: Chain, family: Family, mark: string): Written {
  const last = `-i hnet -m comment --comment ${mark} -j RETURN`;
  const lines = [...rules.flatMap(rule => renderRule(rule, family)), last];
  return { name, lines: lines.map(line => `-A ${name} ${line}`) };
}
