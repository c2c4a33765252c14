/** Reads the whole ruleset, as `nft -j -t list ruleset` prints it, into what matters of other people's tables. */
import * as v from 'valibot';
import { parsePrefix } from '../../model/address.ts';
import { DEVICE_GROUP } from '../../model/names.ts';
import type { PortRange } from '../../model/ports.ts';
import type { Family, Prefix } from '../../model/prefix.ts';
import { Refusal } from '../../model/refusal.ts';
import type { Condition, Effect, ForeignChain, ForeignRule, ForeignTable, Point } from '../../model/view.ts';

/** The comment by which we know our rules in other people's chains. */
export const MARK = 'hnet';

/** Without the elements of sets: other people's may be long, and ours are read elsewhere. */
export const RULESET = ['nft', '-j', '-t', 'list', 'ruleset'];

const chainSchema = v.object({
  family: v.string(),
  table: v.string(),
  name: v.string(),
  hook: v.optional(v.string()),
  policy: v.optional(v.string()),
});
const ruleSchema = v.object({
  family: v.string(),
  table: v.string(),
  chain: v.string(),
  handle: v.number(),
  comment: v.optional(v.string()),
  expr: v.optional(v.array(v.record(v.string(), v.unknown())), []),
});
const listingSchema = v.object({
  nftables: v.array(v.object({ chain: v.optional(chainSchema), rule: v.optional(ruleSchema) })),
});
type RuleText = v.InferOutput<typeof ruleSchema>;

const matchSchema = v.object({ op: v.string(), left: v.record(v.string(), v.unknown()), right: v.unknown() });
const targetSchema = v.object({ target: v.string() });
const vmapSchema = v.object({ key: v.record(v.string(), v.unknown()), data: v.unknown() });
const elementsSchema = v.object({
  set: v.array(v.tuple([v.unknown(), v.record(v.string(), v.unknown())])),
});
const xtSchema = v.object({ type: v.string(), name: v.string() });
const keySchema = v.object({ key: v.string() });
const payloadSchema = v.object({ protocol: v.string(), field: v.string() });

/** Tables that filter IPv4 where it is routed, ours left out. @throws Refusal if the listing isn't one */
export function parseRuleset(text: string): ForeignTable[] {
  if (text.trim() === '') return [];
  const result = v.safeParse(listingSchema, JSON.parse(text));
  if (!result.success) throw new Refusal(`Cannot read nft's listing: ${result.issues[0].message}`);
  const tables = new Map<string, Map<string, ForeignChain & { rules: ForeignRule[] }>>();
  for (const { chain, rule } of result.output.nftables) {
    const { family, table } = chain ?? rule ?? { family: '', table: '' };
    if (!['ip', 'ip6', 'inet'].includes(family) || table === 'hnet') continue;
    const chains = tables.get(`${family} ${table}`) ?? new Map();
    tables.set(`${family} ${table}`, chains);
    if (chain !== undefined) chains.set(chain.name, { ...toBase(chain), rules: [] });
    if (rule !== undefined) chains.get(rule.chain)?.rules.push(...toRules(rule));
  }
  return [...tables].map(([key, chains]) => toTable(key, chains));
}

function toTable(key: string, chains: ReadonlyMap<string, ForeignChain>): ForeignTable {
  const [family = '', ...name] = key.split(' ');
  // iptables makes its chains one by one, as they are needed.
  const by = /^ip6? filter$/.test(key) && BUILTIN.some(one => chains.has(one)) ? 'iptables-nft' : 'nft';
  return {
    by,
    family,
    name: name.join(' '),
    ours: chains.has('hnet-forward'),
    chains: withMapTargets(chains),
  };
}

/** What a named map leads to isn't in the listing: it may be any chain that isn't a base chain. */
function withMapTargets(chains: ReadonlyMap<string, ForeignChain>): Map<string, ForeignChain> {
  const all = [...chains].filter(([, { base }]) => base === undefined).map(([name]) => name);
  const known = ({ effect, ...rule }: ForeignRule): ForeignRule => ({
    ...rule,
    effect: typeof effect === 'object' && effect.chains.includes(ANY) ? { chains: all } : effect,
  });
  return new Map([...chains].map(([name, chain]) => [name, { ...chain, rules: chain.rules.map(known) }]));
}

const BUILTIN = ['FORWARD', 'INPUT', 'OUTPUT'];
const ANY = '*';

function toBase({ hook, policy }: v.InferOutput<typeof chainSchema>): Pick<ForeignChain, 'base'> {
  const point = (['forward', 'input', 'output'] as const).find((one: Point) => one === hook);
  return point === undefined ? {} : { base: { point, drops: policy === 'drop' } };
}

/** A rule; where it looks up verdicts, one for each of them. */
function toRules({ expr, handle, comment }: RuleText): ForeignRule[] {
  const conditions: Condition[] = [];
  let conditional = false;
  let rules: { conditions: Condition[]; conditional: boolean; effect: Effect }[] = [];
  for (const statement of expr) {
    const [[kind = '', value] = []] = Object.entries(statement);
    const condition = toCondition(kind, value);
    if (condition !== undefined) conditional = true;
    if (typeof condition === 'object') conditions.push(condition);
    const effect = toEffect(kind, value);
    if (effect !== 'pass') rules = [{ conditions, conditional, effect }];
    if (kind === 'vmap')
      rules = toVerdicts(value).map(one => ({ ...one, conditions: [...conditions, ...one.conditions] }));
  }
  const passage = isPassage(expr, comment)
    ? { passage: JSON.stringify(expr.filter(one => !('counter' in one))) }
    : {};
  return rules.map(one => ({ ...one, handle, ...passage }));
}

/** nft shows iptables' matches by name only: ours asks for a device group and has a comment. */
function isPassage(expr: RuleText['expr'], comment: string | undefined): boolean {
  if (comment === MARK) return true;
  const names = expr.flatMap(({ xt }) => (v.is(xtSchema, xt) ? [xt.name] : []));
  return names.join() === 'devgroup,comment' && expr.some(one => 'accept' in one);
}

function toEffect(kind: string, value: unknown): Effect {
  if (kind === 'accept') return 'accept';
  if (kind === 'drop' || kind === 'reject') return 'block';
  if (kind === 'xt' && v.is(xtSchema, value) && value.type === 'target' && value.name === 'REJECT')
    return 'block';
  if ((kind === 'jump' || kind === 'goto') && v.is(targetSchema, value)) return { chains: [value.target] };
  return 'pass';
}

function toVerdicts(vmap: unknown): { conditions: Condition[]; conditional: boolean; effect: Effect }[] {
  if (!v.is(vmapSchema, vmap)) return [];
  if (!v.is(elementsSchema, vmap.data)) {
    const condition = keyCondition(vmap.key, '@');
    return [
      {
        conditions: typeof condition === 'object' ? [condition] : [],
        conditional: true,
        effect: { chains: [ANY] },
      },
    ];
  }
  return vmap.data.set.map(([key, verdict]) => {
    const condition = keyCondition(vmap.key, key);
    const [[kind = '', value] = []] = Object.entries(verdict);
    const conditions = typeof condition === 'object' ? [condition] : [];
    return { conditions, conditional: true, effect: toEffect(kind, value) };
  });
}

/** What a statement asks: `some` if it asks for what most packets have, undefined if it asks nothing. */
function toCondition(kind: string, value: unknown): Condition | 'some' | undefined {
  if (kind === 'match') {
    if (!v.is(matchSchema, value)) return { is: 'particular' };
    if (value.op === '!=') return 'some';
    return ['==', 'in'].includes(value.op) ? keyCondition(value.left, value.right) : { is: 'particular' };
  }
  if (kind === 'xt' && v.is(xtSchema, value) && value.type === 'match' && value.name !== 'comment')
    return { is: 'particular' };
  return ['limit', 'set', 'ct count', 'quota', 'meter'].includes(kind) ? { is: 'particular' } : undefined;
}

function keyCondition(left: Record<string, unknown>, right: unknown): Condition | 'some' {
  const values = toValues(right);
  const words = values.map(String);
  if (v.is(keySchema, left['meta'])) return metaCondition(left['meta'].key, words);
  if (v.is(keySchema, left['ct']) && left['ct'].key === 'state')
    return words.every(word => word === 'invalid') ? { is: 'particular' } : 'some';
  if (!v.is(payloadSchema, left['payload'])) return { is: 'particular' };
  const { protocol, field } = left['payload'];
  if (['ip protocol', 'ip6 nexthdr'].includes(`${protocol} ${field}`))
    return { is: 'protocol', names: words };
  if (['ip', 'ip6'].includes(protocol) && ['saddr', 'daddr'].includes(field))
    return { is: 'addresses', prefixes: values.flatMap(toPrefix) };
  return ['sport', 'dport'].includes(field)
    ? { is: 'ports', ranges: values.flatMap(toRange) }
    : { is: 'particular' };
}

const FAMILY_WORDS: Readonly<Record<string, Family>> = { ipv4: 4, ip: 4, ipv6: 6, ip6: 6 };

function metaCondition(key: string, words: readonly string[]): Condition | 'some' {
  switch (key) {
    case 'iif':
    case 'oif':
    case 'iifname':
    case 'oifname':
      // A set whose contents we don't see may hold the uplink.
      return words.some(word => word.startsWith('@')) ? 'some' : { is: 'device', names: words };
    case 'iifgroup':
    case 'oifgroup':
      return words.some(word => [String(DEVICE_GROUP), '0', 'default'].includes(word))
        ? 'some'
        : { is: 'particular' };
    case 'nfproto':
    case 'protocol':
      return { is: 'family', families: words.flatMap(word => FAMILY_WORDS[word] ?? []) };
    case 'l4proto':
      return { is: 'protocol', names: words };
    case 'pkttype':
      return words.includes('multicast') ? { is: 'particular' } : 'some';
    default:
      return { is: 'particular' };
  }
}

const setSchema = v.object({ set: v.array(v.unknown()) });

function toValues(right: unknown): unknown[] {
  if (v.is(setSchema, right)) return right.set;
  return Array.isArray(right) ? right : [right];
}

const prefixSchema = v.object({ prefix: v.object({ addr: v.string(), len: v.number() }) });
const rangeSchema = v.object({ range: v.tuple([v.number(), v.number()]) });

/** Ranges and names of sets are left out: they single out something. */
function toPrefix(value: unknown): Prefix[] {
  const text = v.is(prefixSchema, value) ? `${value.prefix.addr}/${value.prefix.len}` : value;
  return typeof text === 'string' && /^([\d.]+|[\da-f:.]*:[\da-f:.]*)(\/\d+)?$/.test(text)
    ? [parsePrefix(text)]
    : [];
}

function toRange(value: unknown): PortRange[] {
  if (v.is(rangeSchema, value)) return [value.range];
  return typeof value === 'number' ? [[value, value]] : [];
}
