/** Reads other people's tables from `nft -j -t list ruleset`. Whatever it doesn't know is particular. */
import * as v from 'valibot';
import type { Condition, Effect, ForeignChain, ForeignRule, ForeignTable, Point } from '../../model/view.ts';
import { objectsIn } from '../nftables/json.ts';
import { keyCondition, matchCondition, PARTICULAR } from './conditions-nft.ts';
import { at, entryOf, numberOf, valuesOf, wordOf } from './json.ts';
import { isOurs, MARK } from './words.ts';

/** Without the elements of sets: those of others may be many, and ours are read by other commands. */
export const RULESET = ['nft', '-j', '-t', 'list', 'ruleset'];

/** nft's families whose packets are routed, and those of the layers below. */
const ROUTED: readonly string[] = ['ip', 'ip6', 'inet'];
const family = v.picklist(['ip', 'ip6', 'inet', 'bridge', 'arp', 'netdev']);
const tableSchema = v.object({ family, name: v.string() });
const chainSchema = v.object({ family, table: v.string(), name: v.string() });
const ruleSchema = v.object({ family, table: v.string(), chain: v.string(), handle: v.number() });

type Chains = Map<string, ForeignChain & { rules: ForeignRule[] }>;

/** The tables that filter where packets are routed, or translate, except ours. @throws Refusal as {@link parseTables} */
export const parseRuleset = (text: string, listed?: string): ForeignTable[] =>
  parseTables(text, listed).filter(isRouted);

export const isRouted = ({ family }: Pick<ForeignTable, 'family'>): boolean => ROUTED.includes(family);

/**
 * All tables except ours.
 * @param listed what nft prints of the same without -j, for tables with flags that -j doesn't tell; without it they count as
 * dormant
 * @throws Refusal if the text isn't a listing at all
 */
export function parseTables(text: string, listed?: string): ForeignTable[] {
  const tables = new Map<string, Chains>();
  const dormant = new Set<string>();
  const chainsOf = ({ family, table }: { family: string; table: string }): Chains => {
    const chains = tables.get(`${family} ${table}`) ?? new Map();
    tables.set(`${family} ${table}`, chains);
    return chains;
  };
  for (const object of objectsIn(text)) {
    const [kind, value] = entryOf(object);
    if (kind === 'table' && v.is(tableSchema, value) && isDormant(value, listed))
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

/** Whether {@link parseTables} needs the other listing: nft 1.0.6 prints a table's name in place of its only flag. */
export const hasUnclearFlags = (text: string): boolean =>
  objectsIn(text).some(object => {
    const [kind, value] = entryOf(object);
    return kind === 'table' && isUnclear(value);
  });

const FLAGS: readonly unknown[] = ['dormant', 'owner', 'persist'];
const isUnclear = (table: unknown): boolean => {
  const flags = at(table, 'flags');
  return flags !== undefined && !valuesOf(flags).some(flag => FLAGS.includes(flag));
};

function isDormant(table: v.InferOutput<typeof tableSchema>, listed: string | undefined): boolean {
  if (!isUnclear(table)) return valuesOf(at(table, 'flags')).includes('dormant');
  const block = listed?.split(/^table /m).find(each => each.startsWith(`${table.family} ${table.name} {`));
  return block === undefined || /^\tflags .*\bdormant\b/m.test(block);
}

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

function toBase(chain: unknown): Pick<ForeignChain, 'base' | 'filters'> {
  const [type, hook] = [wordOf(at(chain, 'type')), wordOf(at(chain, 'hook'))];
  if (type === undefined || hook === undefined) return {};
  const drops = at(chain, 'policy') === 'drop';
  const point = POINTS[`${type} ${hook}`];
  const devices = valuesOf(at(chain, 'dev') ?? []).flatMap(name => wordOf(name) ?? []);
  return {
    ...(type === 'filter' && { filters: { hook, drops, devices } }),
    ...(point !== undefined && { base: { point, drops, priority: numberOf(at(chain, 'prio')) } }),
  };
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
  if (kind === 'queue') return toQueue(value);
  const target = at(value, 'target');
  if ((kind !== 'jump' && kind !== 'goto') || typeof target !== 'string') return 'pass';
  return isOurs(target) ? 'pass' : { chains: [target], ...(kind === 'goto' && { leaves: true }) };
}

/** As NFQUEUE of iptables. */
function toQueue(queue: unknown): Effect {
  if (valuesOf(at(queue, 'flags')).includes('bypass')) return 'accept';
  const [first, final = first] = valuesOf(at(queue, 'num', 'range') ?? at(queue, 'num') ?? 0).map(numberOf);
  return { queues: [first ?? 0, final ?? 0] };
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
