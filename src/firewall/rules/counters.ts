/** What the kernel counted for each rule. One rule may be several lines of a tool. */
import { type Counter, plus, ZERO } from '../../model/counter.ts';
import type { Family } from '../../model/prefix.ts';
import type { FilterView } from '../../model/view.ts';
import type { Firewall } from './backend.ts';
import type { Chain, Rule, Table } from './rules.ts';

/** The rules of a chain with their counters; zero where the chain doesn't exist. */
export function countedRules(
  table: Table,
  chain: Chain,
  family: Family,
  firewall: Firewall,
  filter: FilterView,
): { rule: Rule; counter: Counter }[] {
  const lines = filter.chains.get(firewall.chainKey(table, chain.name, family)) ?? [];
  let at = 0;
  return chain.rules.map(rule => {
    const count = firewall.linesOf(rule, family);
    const counters = lines.slice(at, at + count).map(line => line.counter);
    at += count;
    return { rule, counter: counters.reduce(plus, ZERO) };
  });
}

/** Dropped packets by cause, over chains of several tables. A cause that never happened is there too, with zero. */
export function dropsByCause(
  chains: readonly (readonly [Table, Chain])[],
  family: Family,
  firewall: Firewall,
  filter: FilterView,
): Map<string, Counter> {
  const drops = new Map<string, Counter>();
  const rules = chains.flatMap(([table, chain]) => countedRules(table, chain, family, firewall, filter));
  for (const { rule, counter } of rules) {
    if (rule.verdict.do !== 'drop') continue;
    const { cause } = rule.verdict;
    drops.set(cause, plus(drops.get(cause) ?? ZERO, counter));
  }
  return drops;
}
