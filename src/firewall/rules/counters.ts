/** What the kernel counted for each rule. One rule may be several lines of a tool. */
import { type Counter, plus, ZERO } from '../../model/counter.ts';
import type { Family } from '../../model/prefix.ts';
import type { FilterView } from '../../model/view.ts';
import type { Firewall } from './backend.ts';
import type { Chain, Rule, Table } from './rules.ts';

/**
 * Whether somebody has put a rule into a chain, or has taken one out: then nobody knows which counter is of which rule. One
 * that doesn't exist has counted nothing.
 */
export function isUnclear(
  table: Table,
  chain: Chain,
  family: Family,
  firewall: Firewall,
  filter: FilterView,
): boolean {
  const lines = filter.chains.get(firewall.chainKey(table, chain.name, family));
  const own = chain.rules.reduce((sum, rule) => sum + firewall.linesOf(rule, family), 0);
  const expected = own + firewall.closingLines;
  return lines !== undefined && lines.length !== expected;
}

/** The rules of a chain with their counters, zero where the chain doesn't exist; undefined where it {@link isUnclear}. */
export function countedRules(
  table: Table,
  chain: Chain,
  family: Family,
  firewall: Firewall,
  filter: FilterView,
): { rule: Rule; counter: Counter }[] | undefined {
  if (isUnclear(table, chain, family, firewall, filter)) return undefined;
  const lines = filter.chains.get(firewall.chainKey(table, chain.name, family)) ?? [];
  let at = 0;
  return chain.rules.map(rule => {
    const count = firewall.linesOf(rule, family);
    const counters = lines.slice(at, at + count).map(line => line.counter);
    at += count;
    return { rule, counter: counters.reduce(plus, ZERO) };
  });
}

/**
 * Dropped packets by cause, over chains of several tables, but for those that are unclear. A cause that never happened is
 * there too, with zero.
 */
export function dropsByCause(
  chains: readonly (readonly [Table, Chain])[],
  family: Family,
  firewall: Firewall,
  filter: FilterView,
): Map<string, Counter> {
  const drops = new Map<string, Counter>();
  const rules = chains.flatMap(
    ([table, chain]) => countedRules(table, chain, family, firewall, filter) ?? [],
  );
  for (const { rule, counter } of rules) {
    if (rule.verdict.do !== 'drop') continue;
    const { cause } = rule.verdict;
    drops.set(cause, plus(drops.get(cause) ?? ZERO, counter));
  }
  return drops;
}
