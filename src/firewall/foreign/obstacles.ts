/**
 * Other people's filters that stand in our way. Every base chain on a hook has a say: an accept of ours can't
 * undo a drop of theirs, so where theirs blocks, an accept has to stand in their chain.
 *
 * Tension: their chain may also hold what its owner meant for everybody, a block list or a port nobody shall
 * use. So not each drop is an obstacle, only one that would take the traffic of our domains as such: a policy, a
 * closing reject, a rule for all that comes from the uplink. The accept then goes right before the first of
 * these, and what singles out particular packets before it keeps its say.
 */

import type { PortRange } from '../../model/ports.ts';
import { contains, type Family, type Prefix } from '../../model/prefix.ts';
import type { Condition, ForeignRule, ForeignTable, Point } from '../../model/view.ts';

/** What must get through: from or to which addresses, and by which interface besides our bridges. */
export interface Traffic {
  readonly point: Point;
  readonly families: readonly Family[];
  readonly prefixes: readonly Prefix[];
  readonly uplink: string;
}

/** The rule before which an accept has to stand, by its place; the number of rules where the policy blocks. */
export function obstacle(table: ForeignTable, name: string, traffic: Traffic): number | undefined {
  const chain = table.chains.get(name);
  if (chain?.base === undefined || table.ours) return undefined;
  for (const [place, rule] of chain.rules.entries()) {
    if (rule.passage !== undefined) continue;
    if (rule.effect === 'accept' && !rule.conditional) return undefined;
    if (blocks(rule, table, traffic, new Set([name]))) return place;
  }
  return chain.base.drops ? chain.rules.length : undefined;
}

function blocks(
  rule: ForeignRule,
  table: ForeignTable,
  traffic: Traffic,
  seen: ReadonlySet<string>,
): boolean {
  if (rule.conditions.some(condition => singlesOut(condition, traffic))) return false;
  if (typeof rule.effect === 'string') return rule.effect === 'block';
  return rule.effect.chains.some(
    name => !seen.has(name) && chainBlocks(table, name, traffic, new Set([...seen, name])),
  );
}

function chainBlocks(
  table: ForeignTable,
  name: string,
  traffic: Traffic,
  seen: ReadonlySet<string>,
): boolean {
  for (const rule of table.chains.get(name)?.rules ?? []) {
    if (rule.effect === 'accept' && !rule.conditional) return false;
    if (blocks(rule, table, traffic, seen)) return true;
  }
  return false;
}

/** Whether a condition keeps a rule away from the bulk of the traffic. */
function singlesOut(condition: Condition, { point, families, prefixes, uplink }: Traffic): boolean {
  const forwarded = point === 'forward';
  switch (condition.is) {
    case 'device':
      return !condition.names.some(name => mayBe(name, forwarded ? [uplink, BRIDGE] : [BRIDGE]));
    case 'family':
      return !condition.families.some(one => families.includes(one));
    case 'addresses':
      return !condition.prefixes.some(outer => prefixes.some(inner => contains(outer, inner)));
    // DHCP and neighbour discovery are all that the host's own filter must let through.
    case 'protocol':
      return !forwarded && !condition.names.some(name => families.some(one => AT_HOST[one].includes(name)));
    case 'ports':
      return (
        forwarded || !condition.ranges.some(range => families.some(family => meets(range, DHCP[family])))
      );
    case 'particular':
      return true;
  }
}

const AT_HOST: Readonly<Record<Family, readonly string[]>> = {
  4: ['udp', '17', 'all'],
  6: ['udp', '17', 'ipv6-icmp', 'icmpv6', '58', 'all'],
};

const DHCP: Readonly<Record<Family, PortRange>> = { 4: [67, 68], 6: [546, 547] };
const meets = ([first, final]: PortRange, [low, high]: PortRange): boolean => first <= high && final >= low;

/** Our bridges as a pattern sees them: a rule for one of them by its full name was meant for that one. */
const BRIDGE = 'br1*';

/** Whether a pattern with `*` at its end, or without, covers a name; another pattern counts as all its names. */
const mayBe = (pattern: string, names: readonly string[]): boolean =>
  names.some(name => pattern === name || (pattern.endsWith('*') && name.startsWith(pattern.slice(0, -1))));
