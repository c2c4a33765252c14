/** What the kernel counted for each rule. One rule may be several lines of a tool. */
import { type Counter, plus, ZERO } from '../../model/counter.ts';
import type { Family } from '../../model/prefix.ts';
import type { FilterView } from '../../model/view.ts';
import type { Firewall } from './backend.ts';
import type { Chain, Rule, Table } from './rules.ts';

export interface Counted {
  readonly rule: Rule;
  readonly counter: Counter;
}

/** The rules of a chain with their counters; zero where the chain doesn't exist. */
export function countedRules(
  table: Table,
  chain: Chain,
  family: Family,
  firewall: Firewall,
  filter: FilterView,
): Counted[] {
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
  for (const { rule, counter } of chains.flatMap(([table, chain]) =>
    countedRules(table, chain, family, firewall, filter),
  )) {
    if (rule.verdict.do === 'drop')
      drops.set(rule.verdict.cause, plus(drops.get(rule.verdict.cause) ?? ZERO, counter));
  }
  return drops;
}
