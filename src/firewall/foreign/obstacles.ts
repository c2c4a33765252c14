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
  readonly uplinks: readonly string[];
  /** The queues on which a program listens: what is queued for nobody is lost. */
  readonly queues: ReadonlySet<number>;
}

/**
 * The place of the rule before which our accept must be, counted from 0; the number of rules where the chain's policy
 * blocks; undefined where nothing does.
 */
export function obstacle(table: ForeignTable, name: string, traffic: NeededTraffic): number | undefined {
  const chain = table.chains.get(name);
  if (chain?.base === undefined || table.isDormant) return undefined;
  const { drops } = chain.base;
  const look: Look = { table, traffic, fates: new Map([[name, 'comes back']]) };
  for (const [place, rule] of chain.rules.entries()) {
    if (rule.passage !== undefined) continue;
    const fate = fateOf(rule, look);
    if (fate === 'blocked' || (fate === 'leaves' && drops)) return place;
    if (fate === 'accepted' || fate === 'leaves') if (rule.conditions.length === 0) return undefined;
  }
  return drops ? chain.rules.length : undefined;
}

/** What becomes of the bulk of the traffic: `leaves`: it is over with the chain of the rule. */
type Fate = 'blocked' | 'accepted' | 'leaves' | 'comes back';

interface Look {
  readonly table: ForeignTable;
  readonly traffic: NeededTraffic;
  /** Of chains; those that are being looked at come back, for jumps may go in circles. */
  readonly fates: Map<string, Fate>;
}

function fateOf({ conditions, effect }: ForeignRule, look: Look): Fate {
  if (effect === 'pass' || conditions.some(condition => singlesOut(condition, look.traffic)))
    return 'comes back';
  if (effect === 'accept') return 'accepted';
  if (effect === 'block') return 'blocked';
  if (effect === 'return') return 'leaves';
  if ('queues' in effect) return isHeard(effect.queues, look.traffic) ? 'accepted' : 'blocked';
  const fates = targets(effect.chains, look.table).map(name => fateIn(name, look));
  if (fates.includes('blocked')) return 'blocked';
  if (effect.chains === 'any' || fates.length !== 1) return 'comes back';
  return effect.leaves && fates[0] === 'comes back' ? 'leaves' : (fates[0] ?? 'comes back');
}

/** What becomes of the traffic in a chain that rules jump to. */
function fateIn(name: string, look: Look): Fate {
  const known = look.fates.get(name);
  if (known !== undefined) return known;
  look.fates.set(name, 'comes back');
  const fate = fateAmong(look.table.chains.get(name)?.rules ?? [], look);
  look.fates.set(name, fate);
  return fate;
}

function fateAmong(rules: readonly ForeignRule[], look: Look): Fate {
  for (const rule of rules) {
    const fate = fateOf(rule, look);
    if (fate === 'blocked') return fate;
    if (fate !== 'comes back' && rule.conditions.length === 0)
      return fate === 'accepted' ? fate : 'comes back';
  }
  return 'comes back';
}

/** A named map of verdicts may lead to any chain that isn't a hook's. */
const targets = (chains: readonly string[] | 'any', table: ForeignTable): readonly string[] =>
  chains === 'any'
    ? [...table.chains].flatMap(([name, { base }]) => (base === undefined ? [name] : []))
    : chains;

const isHeard = ([first, final]: PortRange, { queues }: NeededTraffic): boolean =>
  [...queues].filter(number => first <= number && number <= final).length > final - first;

/** Whether a condition keeps a rule away from the bulk of the traffic. */
function singlesOut(condition: Condition, traffic: NeededTraffic): boolean {
  const { point, families, prefixes, uplinks } = traffic;
  const forwarded = point === 'forward' || point === 'postrouting';
  switch (condition.is) {
    case 'device':
      return !condition.names.some(name => mayBe(name, forwarded ? [...uplinks, BRIDGE] : [BRIDGE]));
    case 'family':
      return !condition.families.some(one => families.includes(one));
    case 'addresses':
      return !condition.prefixes.some(outer => prefixes.some(inner => contains(outer, inner)));
    case 'protocol': {
      const bulk = forwarded ? FORWARDED : families.flatMap(family => AT_HOST[family]);
      return !condition.names.some(name => bulk.includes(name));
    }
    case 'ports':
      if (forwarded) return !condition.ranges.some(([first, final]) => final - first >= MOST_PORTS);
      return !condition.ranges.some(range => families.some(one => meets(range, DHCP[one])));
    case 'either':
      return condition.of.every(all => all.some(one => singlesOut(one, traffic)));
    case 'common':
      return false;
    case 'particular':
      return true;
  }
}

/** So many ports or more are no particular ones. */
const MOST_PORTS = 32_000;

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
