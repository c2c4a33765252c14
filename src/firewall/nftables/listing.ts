/** Reads what nft prints of our tables. */
import * as v from 'valibot';
import { type Counter, ZERO } from '../../model/counter.ts';
import { bits, FAMILIES } from '../../model/prefix.ts';
import type { Contents, FilterView, RuleLine } from '../../model/view.ts';
import { objectsIn } from './json.ts';
import { FAMILY, partsOf, TABLE } from './text.ts';

const counterSchema = v.object({ packets: v.number(), bytes: v.number() });
const comment = v.optional(v.string(), '');
const own = { family: v.string(), table: v.literal(TABLE) };

/** The families of nft that hold the filter itself. */
const FILTERING: readonly string[] = FAMILIES.map(family => FAMILY[family].table);

const containerSchema = v.object({ ...own, name: v.string(), elem: v.optional(v.array(v.unknown()), []) });
const objectSchema = v.object({
  chain: v.optional(v.object({ ...own, name: v.string() })),
  rule: v.optional(v.object({ ...own, chain: v.string(), comment, expr: v.array(v.unknown()) })),
  set: v.optional(containerSchema),
  map: v.optional(containerSchema),
});

/**
 * Reads our tables from `nft -j list …`; an empty text means that none exists. Objects of other tables, and any that aren't
 * as we make them, are left out.
 * @param families nft's words for the families to read, the filter's own unless others are named
 * @throws Refusal if the text isn't a listing
 */
export function parseListing(text: string, brief: boolean, families = FILTERING): FilterView {
  const chains = new Map<string, RuleLine[]>();
  const parts = new Map<string, Contents>();
  for (const object of objectsIn(text)) {
    const { output, success } = v.safeParse(objectSchema, object);
    if (!success) continue;
    const { chain, rule, set, map } = output;
    if (!families.includes((chain ?? rule ?? set ?? map)?.family ?? '')) continue;
    if (chain !== undefined) chains.set(`${chain.family} ${chain.name}`, []);
    if (rule !== undefined) chains.get(`${rule.family} ${rule.chain}`)?.push(toLine(rule.expr, rule.comment));
    const named = set ?? map;
    if (named !== undefined) parts.set(named.name, brief ? 'unread' : new Map(named.elem.map(toEntry)));
  }
  return { chains, sets: joinParts(parts) };
}

/** Makes one set of its parts, which were all read or none. A set that lacks one of them is left out. */
function joinParts(parts: ReadonlyMap<string, Contents>): Map<string, Contents> {
  const names = [...parts.keys()].filter(name => partsOf(name).every(part => parts.has(part)));
  return new Map(
    names.map(name => {
      const contents = partsOf(name).flatMap(part => parts.get(part) ?? []);
      const read = contents.filter(part => part !== 'unread');
      return [name, read.length === contents.length ? new Map(read.flatMap(part => [...part])) : 'unread'];
    }),
  );
}

function toLine(expr: readonly unknown[], comment: string): RuleLine {
  const counted = expr.find(one => v.is(countedSchema, one));
  return { text: `${JSON.stringify(expr)} ${comment}`, counter: toCounter(counted?.counter) };
}

const countedSchema = v.object({ counter: counterSchema });

const toCounter = ({ packets, bytes } = { packets: 0, bytes: 0 }): Counter => ({
  packets: BigInt(packets),
  bytes: BigInt(bytes),
});

const prefixSchema = v.object({ prefix: v.object({ addr: v.string(), len: v.number() }) });
const elementSchema = v.object({ elem: v.object({ val: v.unknown(), counter: v.optional(counterSchema) }) });

/** The bridges in what `nft -j list set` prints; none where there is no such set. */
export const bridgesIn = (text: string): string[] =>
  objectsIn(text).flatMap(object => {
    const { output, success } = v.safeParse(objectSchema, object);
    return success ? (output.set?.elem.map(element => toEntry(element)[0]) ?? []) : [];
  });

/** An element is a value, a value with a counter, or (in a map) a pair of key and verdict. */
function toEntry(element: unknown): [string, Counter] {
  const value = Array.isArray(element) ? element[0] : element;
  if (v.is(elementSchema, value)) return [toText(value.elem.val), toCounter(value.elem.counter)];
  return [toText(value), ZERO];
}

function toText(value: unknown): string {
  if (v.is(prefixSchema, value)) return `${value.prefix.addr}/${value.prefix.len}`;
  const address = String(value);
  // A bridge, by its name.
  if (!/^\d+(\.\d+){3}$|:/.test(address)) return address;
  return `${address}/${bits(address.includes(':') ? 6 : 4)}`;
}
