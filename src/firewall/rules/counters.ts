/** What the kernel counted for each rule: as many lines of a tool stand for one rule as that tool needs. */
import type { Family } from '../../model/prefix.ts';
import type { Counter, FilterView } from '../../model/view.ts';
import type { Firewall } from './backend.ts';
import type { Chain, Rule, Ruleset } from './rules.ts';

export interface Counted {
  readonly rule: Rule;
  readonly counter: Counter;
}

export const ZERO: Counter = { packets: 0n, bytes: 0n };

/** The rules of a chain with their counters; zero where the chain doesn't stand. */
export function countedRules(
  table: keyof Ruleset['chains'],
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

export const plus = (a: Counter, b: Counter): Counter => ({
  packets: a.packets + b.packets,
  bytes: a.bytes + b.bytes,
});

/** Dropped packets by cause, of several tables' chains. Causes that never happened are there too, with zero. */
export function dropsByCause(
  chains: readonly (readonly [keyof Ruleset['chains'], Chain])[],
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
