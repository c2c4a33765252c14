/** The filter's rules in the words of nft, and what nft prints in return. */
import * as v from 'valibot';
import { bits, type Family, format } from '../address.ts';
import { DEVICE_GROUP } from '../names.ts';
import { Refusal } from '../refusal.ts';
import type { Counter, FilterView, RuleLine } from '../view.ts';
import type { Match, PortRange, Rule, Verdict } from './rules.ts';
import { SOLICITATIONS, SOLICITING } from './sets.ts';

/** nft's word for a family, and for its packets' header and ICMP. */
export const FAMILY = {
  4: { table: 'ip', type: 'ipv4_addr', icmp: 'icmp' },
  6: { table: 'ip6', type: 'ipv6_addr', icmp: 'icmpv6' },
} as const;

/** A rule as nft reads it. What drops, and what a policy decides, also counts. */
export function renderRule({ when, verdict }: Rule, family: Family, comment?: string): string {
  const words = [
    ...when.map(match => renderMatch(match, family)),
    ...(verdict.do === 'drop' ? ['counter'] : []),
    renderVerdict(verdict),
  ];
  return [...words, ...(comment === undefined ? [] : [`comment "${comment}"`])].join(' ');
}

function renderMatch(match: Match, family: Family): string {
  const { table, icmp } = FAMILY[family];
  switch (match.is) {
    case 'from-domain':
      return `iifgroup ${DEVICE_GROUP}`;
    case 'to-domain':
      return `oifgroup ${DEVICE_GROUP}`;
    case 'from-device':
      return `iifname "${match.device}"`;
    case 'to-device':
      return `oifname "${match.device}"`;
    case 'set':
      return `${table} ${match.side === 'source' ? 'saddr' : 'daddr'} ${match.not ? '!= ' : ''}@${match.name}`;
    case 'net':
      return `${table} ${match.side === 'source' ? 'saddr' : 'daddr'} ${format(match.prefix)}`;
    case 'protocol':
      return `meta l4proto ${match.protocol === 'icmp' && family === 6 ? 'ipv6-icmp' : match.protocol}`;
    case 'ports':
      return `${match.protocol} ${match.side === 'source' ? 'sport' : 'dport'} { ${match.ranges.map(renderRange).join(', ')} }`;
    case 'state':
      return `ct state ${match.states.join(',').toLowerCase()}`;
    case 'reply':
      return 'ct direction reply';
    case 'not-opening':
      return 'tcp flags & (fin | syn | rst | ack) != syn';
    case 'spoofed':
      return 'fib saddr . iif oif missing';
    case 'broadcast-source':
      return 'fib saddr type broadcast';
    case 'local':
      return 'fib daddr type local';
    case 'dhcp-discover':
      return 'ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67';
    case 'dhcp-request':
      return family === 4 ? 'udp sport 68 udp dport 67' : 'udp sport 546 udp dport 547';
    case 'dhcp-reply':
      return family === 4 ? 'udp sport 67 udp dport 68' : 'udp sport 547 udp dport 546';
    case 'icmp-types':
      return `${icmp} type { ${match.types.join(', ')} }`;
    case 'flood':
      return `update @${match.set} { iif limit rate over ${SOLICITATIONS / SOLICITING}/second burst ${SOLICITATIONS} packets }`;
    case 'icmp-error':
      return `${icmp} type { destination-unreachable, ${family === 4 ? '' : 'packet-too-big, '}time-exceeded, parameter-problem }`;
    case 'icmp-redirect':
      return `${icmp} type ${family === 4 ? 'redirect' : 'nd-redirect'}`;
  }
}

const renderRange = ([first, final]: PortRange): string =>
  first === final ? String(first) : `${first}-${final}`;

function renderVerdict(verdict: Verdict): string {
  switch (verdict.do) {
    case 'accept':
    case 'return':
    case 'drop':
      return verdict.do;
    case 'untrack':
      return 'notrack';
    case 'jump':
    case 'goto':
      return `${verdict.do} ${verdict.chain}`;
    case 'translate':
      return `snat to ${format(verdict.source)}`;
  }
}

/** The table's name, in each family. */
export const TABLE = 'hnet';

const counterSchema = v.object({ packets: v.number(), bytes: v.number() });
const objectSchema = v.object({
  chain: v.optional(v.object({ family: v.string(), table: v.string(), name: v.string() })),
  rule: v.optional(
    v.object({
      family: v.string(),
      table: v.string(),
      chain: v.string(),
      comment: v.optional(v.string(), ''),
      expr: v.array(v.unknown()),
    }),
  ),
  set: v.optional(
    v.object({ table: v.string(), name: v.string(), elem: v.optional(v.array(v.unknown()), []) }),
  ),
  map: v.optional(
    v.object({ table: v.string(), name: v.string(), elem: v.optional(v.array(v.unknown()), []) }),
  ),
});
const listingSchema = v.object({ nftables: v.array(objectSchema) });

/** Reads our table from `nft -j list …`. An empty text is a table that doesn't exist. @throws Refusal if it is anything else */
export function parseListing(text: string, brief: boolean): FilterView {
  const chains = new Map<string, RuleLine[]>();
  const sets = new Map<string, Map<string, Counter> | 'unread'>();
  if (text.trim() === '') return { chains, sets };
  const result = v.safeParse(listingSchema, JSON.parse(text));
  if (!result.success) throw new Refusal(`Cannot read nft's listing: ${result.issues[0].message}`);
  for (const { chain, rule, set, map } of result.output.nftables) {
    if ((chain ?? rule ?? set ?? map)?.table !== TABLE) continue;
    if (chain !== undefined) chains.set(`${chain.family} ${chain.name}`, []);
    if (rule !== undefined) chains.get(`${rule.family} ${rule.chain}`)?.push(toLine(rule.expr, rule.comment));
    const named = set ?? map;
    if (named !== undefined) sets.set(named.name, brief ? 'unread' : new Map(named.elem.map(toEntry)));
  }
  return { chains, sets };
}

function toLine(expr: readonly unknown[], comment: string): RuleLine {
  const counted = expr.flatMap(one => {
    const { counter } = v.is(v.object({ counter: counterSchema }), one) ? one : { counter: undefined };
    return counter === undefined ? [] : [counter];
  })[0];
  return { text: `${JSON.stringify(expr)} ${comment}`, counter: toCounter(counted) };
}

const toCounter = (counted: v.InferOutput<typeof counterSchema> | undefined): Counter => ({
  packets: BigInt(counted?.packets ?? 0),
  bytes: BigInt(counted?.bytes ?? 0),
});

const prefixSchema = v.object({ prefix: v.object({ addr: v.string(), len: v.number() }) });
const elementSchema = v.object({ elem: v.object({ val: v.unknown(), counter: v.optional(counterSchema) }) });

/** An element is a value, a value with a counter, or (in a map) a pair of key and verdict. */
function toEntry(element: unknown): [string, Counter] {
  const value = Array.isArray(element) ? element[0] : element;
  if (v.is(elementSchema, value)) return [toText(value.elem.val), toCounter(value.elem.counter)];
  return [toText(value), toCounter(undefined)];
}

function toText(value: unknown): string {
  if (v.is(prefixSchema, value)) return `${value.prefix.addr}/${value.prefix.len}`;
  const address = String(value);
  return `${address}/${bits(address.includes(':') ? 6 : 4)}`;
}
