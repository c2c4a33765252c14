/** Reads other people's tables from `nft -j -t list ruleset`. Whatever it doesn't know is particular. */
import * as v from 'valibot';
import { DEVICE_GROUP } from '../../model/names.ts';
import type { PortRange } from '../../model/ports.ts';
import type { Prefix } from '../../model/prefix.ts';
import type { Condition, Effect, ForeignChain, ForeignRule, ForeignTable, Point } from '../../model/view.ts';
import { objectsIn } from '../nftables/json.ts';
import { COMMON, isOurs, MARK, PARTICULAR, readPrefix, stateCondition } from './words.ts';

/** Without the elements of sets: those of others may be many, and ours are read by other commands. */
export const RULESET = ['nft', '-j', '-t', 'list', 'ruleset'];

const family = v.picklist(['ip', 'ip6', 'inet']);
const tableSchema = v.object({ family, name: v.string() });
const chainSchema = v.object({ family, table: v.string(), name: v.string() });
const ruleSchema = v.object({ family, table: v.string(), chain: v.string(), handle: v.number() });

type Chains = Map<string, ForeignChain & { rules: ForeignRule[] }>;

/** The tables that filter where packets are routed, except ours. @throws Refusal if the text isn't a listing at all */
export function parseRuleset(text: string): ForeignTable[] {
  const tables = new Map<string, Chains>();
  const dormant = new Set<string>();
  const chainsOf = ({ family, table }: { family: string; table: string }): Chains => {
    const chains = tables.get(`${family} ${table}`) ?? new Map();
    tables.set(`${family} ${table}`, chains);
    return chains;
  };
  for (const object of objectsIn(text)) {
    const [kind, value] = entryOf(object);
    if (kind === 'table' && v.is(tableSchema, value) && isDormant(value))
      dormant.add(`${value.family} ${value.name}`);
    if (kind === 'chain' && v.is(chainSchema, value))
      chainsOf(value).set(value.name, { ...toBase(value), rules: [] });
    if (kind === 'rule' && v.is(ruleSchema, value))
      chainsOf(value)
        .get(value.chain)
        ?.rules.push(...toRules(value));
  }
  return [...tables]
    .filter(([key]) => !/ hnet$/.test(key))
    .map(([key, chains]) => toTable(key, chains, dormant.has(key)));
}

/** nft 1.0.6 prints garbage for a table's only flag; such a table counts as active. */
const isDormant = (table: unknown): boolean => valuesOf(at(table, 'flags')).includes('dormant');

function toTable(key: string, chains: Chains, isDormant: boolean): ForeignTable {
  const [family = '', ...name] = key.split(' ');
  // iptables makes a built-in chain only when it needs one.
  const byIptables = /^ip6? filter$/.test(key) && ['FORWARD', 'INPUT', 'OUTPUT'].some(one => chains.has(one));
  return {
    by: byIptables ? 'iptables-nft' : 'nft',
    family,
    name: name.join(' '),
    isDormant,
    chains,
  };
}

/** By the type of a chain and its hook. */
const POINTS: Readonly<Record<string, Point | undefined>> = {
  'filter forward': 'forward',
  'filter input': 'input',
  'filter output': 'output',
  'route output': 'output',
  'nat postrouting': 'postrouting',
};

function toBase(chain: unknown): Pick<ForeignChain, 'base'> {
  const point = POINTS[`${wordOf(at(chain, 'type'))} ${wordOf(at(chain, 'hook'))}`];
  const priority = Number(at(chain, 'prio'));
  return point === undefined ? {} : { base: { point, drops: at(chain, 'policy') === 'drop', priority } };
}

/** A rule; or one for each verdict, where it looks up verdicts. A rule without a verdict is none. */
function toRules(rule: v.InferOutput<typeof ruleSchema>): ForeignRule[] {
  const { handle } = rule;
  const expr = valuesOf(at(rule, 'expr'));
  const common = expr.flatMap(statement => conditionsOf(...entryOf(statement)));
  const passage = JSON.stringify(expr.filter(one => entryOf(one)[0] !== 'counter'));
  const ours = isPassage(rule, expr) ? { passage } : {};
  return expr
    .flatMap(statement => verdictsOf(...entryOf(statement)))
    .map(({ conditions, effect }) => ({ conditions: [...common, ...conditions], effect, handle, ...ours }));
}

/** nft shows only the names of iptables' matches: those of our accepts are a device group and a comment. */
function isPassage(rule: unknown, expr: readonly unknown[]): boolean {
  if (at(rule, 'comment') === MARK) return true;
  const names = expr.flatMap(one => wordOf(at(one, 'xt', 'name')) ?? []);
  return names.join() === 'devgroup,comment' && expr.some(one => entryOf(one)[0] === 'accept');
}

type Verdict = Pick<ForeignRule, 'conditions' | 'effect'>;

function verdictsOf(kind: string, value: unknown): Verdict[] {
  if (kind === 'vmap') return toVerdicts(value);
  const effect = toEffect(kind, value);
  return effect === 'pass' ? [] : [{ conditions: [], effect }];
}

function toEffect(kind: string, value: unknown): Effect {
  if (kind === 'accept' || kind === 'return') return kind;
  if (['drop', 'reject', 'snat', 'masquerade'].includes(kind)) return 'block';
  if (kind === 'xt') return isTarget(value) && at(value, 'name') === 'REJECT' ? 'block' : 'pass';
  const target = at(value, 'target');
  if ((kind !== 'jump' && kind !== 'goto') || typeof target !== 'string') return 'pass';
  return isOurs(target) ? 'pass' : { chains: [target] };
}

/** The entries of a verdict map in the rule itself. A named map isn't in the listing: it may lead to any chain. */
function toVerdicts(vmap: unknown): Verdict[] {
  const key = at(vmap, 'key');
  const entries = at(vmap, 'data', 'set');
  if (!Array.isArray(entries)) return [{ conditions: [keyCondition(key, '@')], effect: { chains: 'any' } }];
  return entries.map(valuesOf).map(([one, verdict]) => ({
    conditions: [keyCondition(key, one)],
    effect: toEffect(...entryOf(verdict)),
  }));
}

/** Statements that require nothing of a packet. */
const ACTIONS = (
  'accept drop reject return continue jump goto vmap counter last log mangle notrack queue dup fwd snat dnat ' +
  'masquerade redirect tproxy flow'
).split(' ');

function conditionsOf(kind: string, value: unknown): Condition[] {
  if (kind === 'match') return [matchCondition(value)];
  if (kind === 'xt' && (isTarget(value) || at(value, 'name') === 'comment')) return [];
  // `ct helper`, `ct timeout` and `ct expectation` give the flow something; `ct count` is a limit.
  return ACTIONS.includes(kind) || (kind.startsWith('ct ') && kind !== 'ct count') ? [] : [PARTICULAR];
}

const isTarget = (xt: unknown): boolean => at(xt, 'type') === 'target';

function matchCondition(match: unknown): Condition {
  const left = at(match, 'left');
  const op = at(match, 'op');
  // What isn't one value of a header or of meta data (a part of one, say) may be rare even where it is negated.
  if (op === '!=') return NEGATABLE.includes(entryOf(left)[0]) ? COMMON : PARTICULAR;
  return op === '==' || op === 'in' ? keyCondition(left, at(match, 'right')) : PARTICULAR;
}

const NEGATABLE = ['meta', 'ct', 'payload', 'fib', 'concat'];

function keyCondition(left: unknown, right: unknown): Condition {
  const values = valuesOf(right);
  const words = values.flatMap(value => wordOf(value) ?? []);
  const [kind, key] = entryOf(left);
  if (kind === 'meta') return metaCondition(at(key, 'key'), words);
  if (kind === 'ct' && at(key, 'key') === 'state') return stateCondition(words);
  if (kind !== 'payload') return PARTICULAR;
  const field = wordOf(at(key, 'field')) ?? '';
  const isIp = ['ip', 'ip6'].includes(wordOf(at(key, 'protocol')) ?? '');
  if (isIp && /^[sd]addr$/.test(field)) return { is: 'addresses', prefixes: values.flatMap(toPrefix) };
  if (isIp && /^(protocol|nexthdr)$/.test(field)) return { is: 'protocol', names: words };
  return /^[sd]port$/.test(field) ? { is: 'ports', ranges: values.flatMap(toRange) } : PARTICULAR;
}

const FAMILY_WORDS = new Map(Object.entries({ ip: 4, ipv4: 4, ip6: 6, ipv6: 6 } as const));

function metaCondition(key: unknown, words: readonly string[]): Condition {
  if (key === 'iif' || key === 'oif' || key === 'iifname' || key === 'oifname')
    // A set whose elements aren't in the listing may hold the uplink.
    return words.some(word => word.startsWith('@')) ? COMMON : { is: 'device', names: words };
  if (key === 'iifgroup' || key === 'oifgroup')
    return words.some(word => [String(DEVICE_GROUP), '0', 'default'].includes(word)) ? COMMON : PARTICULAR;
  if (key === 'nfproto' || key === 'protocol')
    return { is: 'family', families: words.flatMap(word => FAMILY_WORDS.get(word) ?? []) };
  if (key === 'l4proto') return { is: 'protocol', names: words };
  return key === 'pkttype' && !words.includes('multicast') ? COMMON : PARTICULAR;
}

/** Ranges of addresses and names of sets are left out: they single out something. */
function toPrefix(value: unknown): Prefix[] {
  const address = wordOf(at(value, 'prefix', 'addr'));
  return readPrefix(wordOf(value) ?? `${address}/${wordOf(at(value, 'prefix', 'len'))}`);
}

function toRange(value: unknown): PortRange[] {
  const [first, final] = valuesOf(at(value, 'range') ?? [value, value]);
  return typeof first === 'number' && typeof final === 'number' ? [[first, final]] : [];
}

/** The only entry of an object, as nft writes statements and expressions; nameless if the value isn't one. */
const entryOf = (value: unknown): [string, unknown] =>
  (typeof value === 'object' && value !== null ? Object.entries(value)[0] : undefined) ?? ['', undefined];

/** What lies at a path of names; undefined where it ends early. */
const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (inner, name) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, name) : undefined),
    value,
  );

/** One value, several, or those of an anonymous set. */
function valuesOf(right: unknown): readonly unknown[] {
  const values = at(right, 'set') ?? right;
  return Array.isArray(values) ? values : [values];
}

const wordOf = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
