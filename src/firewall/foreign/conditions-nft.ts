/** What the matches of nft require of a packet. Whatever isn't known here is particular. */

import { readRange, readSubnet } from '../../model/address.ts';
import { DEVICE_GROUP } from '../../model/names.ts';
import type { PortRange } from '../../model/ports.ts';
import type { Prefix } from '../../model/prefix.ts';
import type { Condition } from '../../model/view.ts';
import { at, entryOf, numberOf, valuesOf, wordOf } from './json.ts';
import { isMasked, isMost, isOrdinary } from './words.ts';

const COMMON: Condition = { is: 'common' };
export const PARTICULAR: Condition = { is: 'particular' };
const isCommon = (is: boolean): Condition => (is ? COMMON : PARTICULAR);

/** The group of our bridges, and the one that other devices have. */
const GROUPS = [DEVICE_GROUP, 0];
const ALL = 0xffffffff;

export function matchCondition(match: unknown): Condition {
  const [left, op, right] = [at(match, 'left'), at(match, 'op'), at(match, 'right')];
  // What isn't one value of a header or of meta data (a part of one, say) may be rare even where it is negated.
  if (op === '!=') return NEGATABLE.includes(entryOf(left)[0]) ? COMMON : PARTICULAR;
  if (op === '<') return entryOf(left)[0] === 'numgen' ? numberCondition(left, numberOf(right)) : PARTICULAR;
  return op === '==' || op === 'in' ? keyCondition(left, right) : PARTICULAR;
}

const NEGATABLE = ['meta', 'ct', 'payload', 'fib', 'concat'];

/** What a key requires that has one of these values. */
export function keyCondition(left: unknown, right: unknown): Condition {
  const values = valuesOf(right);
  const words = values.flatMap(value => wordOf(value) ?? []);
  const [kind, key] = entryOf(left);
  if (kind === 'concat') return concatCondition(key, values);
  if (kind === '&') return maskCondition(key, right);
  if (kind === 'numgen') return numberCondition(left, values.length);
  if (kind === 'meta') return metaCondition(at(key, 'key'), values, words);
  if (kind === 'ct' && at(key, 'key') === 'state') return isCommon(isOrdinary(words));
  if (kind === 'fib' && at(key, 'result') === 'type') return isCommon(words.includes('unicast'));
  return kind === 'payload' ? payloadCondition(key, values, words) : PARTICULAR;
}

/** Several keys together: each of the values has a part for each. The values of a named set aren't in the listing. */
function concatCondition(keys: unknown, values: readonly unknown[]): Condition {
  const all = valuesOf(keys);
  const of = values.map(value => {
    const parts = valuesOf(at(value, 'concat'));
    return all.map((key, index) =>
      index in parts && parts[index] !== undefined ? keyCondition(key, parts[index]) : PARTICULAR,
    );
  });
  return { is: 'either', of };
}

/** Some bits of a key: of a device's group, or the flags that a TCP segment has while it opens a connection. */
function maskCondition(operands: unknown, right: unknown): Condition {
  const [left, mask] = valuesOf(operands);
  const [kind, key] = entryOf(left);
  if (kind === 'meta' && isGroup(at(key, 'key')))
    return isCommon(isMasked(numberOf(right), numberOf(mask), GROUPS));
  if (kind === 'meta' && at(key, 'key') === 'mark') return isCommon(right === 0);
  const isFlags = kind === 'payload' && at(key, 'protocol') === 'tcp' && at(key, 'field') === 'flags';
  return isCommon(isFlags && right === 'syn' && ['syn', 'ack'].every(flag => flagsIn(mask).includes(flag)));
}

/** Flags together: nft 1.0 prints a list, and 1.1 joins them by `|`. */
const flagsIn = (mask: unknown): readonly unknown[] => valuesOf(at(mask, '|') ?? mask);

const isGroup = (key: unknown): boolean => key === 'iifgroup' || key === 'oifgroup';

/** Matches `many` of the numbers that a generator makes (`numgen`). */
const numberCondition = (numgen: unknown, many: number): Condition =>
  isCommon(isMost(many / numberOf(at(numgen, 'numgen', 'mod'))));

function payloadCondition(key: unknown, values: readonly unknown[], words: readonly string[]): Condition {
  const field = wordOf(at(key, 'field')) ?? '';
  const isIp = ['ip', 'ip6'].includes(wordOf(at(key, 'protocol')) ?? '');
  if (isIp && /^[sd]addr$/.test(field)) return { is: 'addresses', prefixes: values.flatMap(toPrefix) };
  if (isIp && /^(protocol|nexthdr)$/.test(field)) return { is: 'protocol', names: words };
  return /^[sd]port$/.test(field) ? { is: 'ports', ranges: values.flatMap(toRange) } : PARTICULAR;
}

const FAMILY_WORDS = new Map(Object.entries({ ip: 4, ipv4: 4, ip6: 6, ipv6: 6 } as const));

function metaCondition(key: unknown, values: readonly unknown[], words: readonly string[]): Condition {
  if (key === 'iif' || key === 'oif' || key === 'iifname' || key === 'oifname')
    // A set whose elements aren't in the listing may hold the uplink.
    return words.some(word => word.startsWith('@')) ? COMMON : { is: 'device', names: words };
  if (isGroup(key))
    return {
      is: 'either',
      of: words.map(word => [isCommon(isMasked(word === 'default' ? 0 : Number(word), ALL, GROUPS))]),
    };
  if (key === 'nfproto' || key === 'protocol')
    return { is: 'family', families: words.flatMap(word => FAMILY_WORDS.get(word) ?? []) };
  if (key === 'l4proto') return { is: 'protocol', names: words };
  return isCommon(typeof key === 'string' && ORDINARY[key]?.(words, values) === true);
}

/** What ordinary packets of our bridges have: no mark, no IPsec, Ethernet. */
const ORDINARY: Readonly<Record<string, (words: readonly string[], values: readonly unknown[]) => boolean>> =
  {
    pkttype: words => !words.includes('multicast'),
    iifkind: words => words.includes('bridge'),
    oifkind: words => words.includes('bridge'),
    iiftype: words => words.includes('ether'),
    oiftype: words => words.includes('ether'),
    mark: words => words.includes('0'),
    ipsec: (_, values) => values.includes(false),
  };

/** Names of sets are left out: they single out something. */
function toPrefix(value: unknown): Prefix[] {
  const [from, to] = valuesOf(at(value, 'range')).map(wordOf);
  if (from !== undefined && to !== undefined) return readRange(from, to);
  const address = wordOf(at(value, 'prefix', 'addr'));
  return readSubnet(wordOf(value) ?? `${address}/${wordOf(at(value, 'prefix', 'len'))}`);
}

function toRange(value: unknown): PortRange[] {
  const [first, final] = valuesOf(at(value, 'range') ?? [value, value]);
  return typeof first === 'number' && typeof final === 'number' ? [[first, final]] : [];
}
