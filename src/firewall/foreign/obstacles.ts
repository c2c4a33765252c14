/**
 * Finds what in other people's filters blocks domains. Our accept in our chain can't undo a drop in theirs, so where they
 * block, an accept of ours must be in their chain.
 *
 * Tension: their chain may also hold rules that are meant for everybody, such as a block list. So only a drop that takes the
 * bulk of our domains' traffic is an obstacle: a policy, a closing reject, a drop of all that comes from the uplink. Our
 * accept goes right before the first of these, and earlier rules that single out particular packets still apply.
 */
import type { PortRange } from '../../model/ports.ts';
import { contains, type Family, type Prefix } from '../../model/prefix.ts';
import type { Condition, ForeignRule, ForeignTable, Point } from '../../model/view.ts';

/** The traffic that must get through: from or to which addresses, and by which interface beside our bridges. */
export interface NeededTraffic {
  readonly point: Point;
  readonly families: readonly Family[];
  readonly prefixes: readonly Prefix[];
  readonly uplink: string;
}

/**
 * The place of the rule before which our accept must be, counted from 0; the number of rules where the chain's policy
 * blocks; undefined where nothing does.
 */
export function obstacle(table: ForeignTable, name: string, traffic: NeededTraffic): number | undefined {
  const chain = table.chains.get(name);
  if (chain?.base === undefined || table.isDormant) return undefined;
  const seen = new Set([name]);
  for (const [place, rule] of chain.rules.entries()) {
    if (rule.passage !== undefined) continue;
    if (takesAll(rule, 'accept')) return undefined;
    if (blocks(rule, table, traffic, seen)) return place;
    if (takesAll(rule, 'return')) return chain.base.drops ? place : undefined;
  }
  return chain.base.drops ? chain.rules.length : undefined;
}

const takesAll = ({ conditions, effect }: ForeignRule, what: 'accept' | 'return'): boolean =>
  conditions.length === 0 && effect === what;

/** @param seen chains that don't block, or are being looked at: jumps may go in circles */
function blocks(rule: ForeignRule, table: ForeignTable, traffic: NeededTraffic, seen: Set<string>): boolean {
  if (rule.conditions.some(condition => singlesOut(condition, traffic))) return false;
  if (typeof rule.effect === 'string') return rule.effect === 'block';
  const isBase = (name: string): boolean => table.chains.get(name)?.base !== undefined;
  const { chains } = rule.effect;
  const names = chains === 'any' ? [...table.chains.keys()].filter(name => !isBase(name)) : chains;
  return names.some(name => !seen.has(name) && chainBlocks(table, name, traffic, seen.add(name)));
}

function chainBlocks(table: ForeignTable, name: string, traffic: NeededTraffic, seen: Set<string>): boolean {
  for (const rule of table.chains.get(name)?.rules ?? []) {
    if (takesAll(rule, 'accept') || takesAll(rule, 'return')) return false;
    if (blocks(rule, table, traffic, seen)) return true;
  }
  return false;
}

/** Whether a condition keeps a rule away from the bulk of the traffic. */
function singlesOut(condition: Condition, { point, families, prefixes, uplink }: NeededTraffic): boolean {
  const forwarded = point === 'forward';
  switch (condition.is) {
    case 'device':
      return !condition.names.some(name => mayBe(name, forwarded ? [uplink, BRIDGE] : [BRIDGE]));
    case 'family':
      return !condition.families.some(one => families.includes(one));
    case 'addresses':
      return !condition.prefixes.some(outer => prefixes.some(inner => contains(outer, inner)));
    case 'protocol': {
      const bulk = forwarded ? FORWARDED : families.flatMap(family => AT_HOST[family]);
      return !condition.names.some(name => bulk.includes(name));
    }
    case 'ports':
      return forwarded || !condition.ranges.some(range => families.some(one => meets(range, DHCP[one])));
    case 'common':
      return false;
    case 'particular':
      return true;
  }
}

const FORWARDED: readonly string[] = ['tcp', '6', 'udp', '17', 'all'];
/** The host's own filter need only let DHCP and neighbour discovery through. */
const AT_HOST: Readonly<Record<Family, readonly string[]>> = {
  4: ['udp', '17', 'all'],
  6: ['udp', '17', 'ipv6-icmp', 'icmpv6', '58', 'all'],
};

const DHCP: Readonly<Record<Family, PortRange>> = { 4: [67, 68], 6: [546, 547] };
const meets = ([first, final]: PortRange, [low, high]: PortRange): boolean => first <= high && final >= low;

/** Our bridges as a pattern. A rule that names one bridge in full is meant for that one. */
const BRIDGE = 'br1*';

/** Whether a pattern, which may end with `*`, covers one of these names. */
const mayBe = (pattern: string, names: readonly string[]): boolean =>
  names.some(name => pattern === name || (pattern.endsWith('*') && name.startsWith(pattern.slice(0, -1))));
