/** What nft prints of our tables. */
import * as v from 'valibot';
import { bits } from '../../model/prefix.ts';
import { Refusal } from '../../model/refusal.ts';
import type { Contents, Counter, FilterView, RuleLine } from '../../model/view.ts';
import { partsOf, TABLE } from './text.ts';

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
  const parts = new Map<string, Contents>();
  if (text.trim() === '') return { chains, sets: parts };
  const result = v.safeParse(listingSchema, JSON.parse(text));
  if (!result.success) throw new Refusal(`Cannot read nft's listing: ${result.issues[0].message}`);
  for (const { chain, rule, set, map } of result.output.nftables) {
    if ((chain ?? rule ?? set ?? map)?.table !== TABLE) continue;
    if (chain !== undefined) chains.set(`${chain.family} ${chain.name}`, []);
    if (rule !== undefined) chains.get(`${rule.family} ${rule.chain}`)?.push(toLine(rule.expr, rule.comment));
    const named = set ?? map;
    if (named !== undefined) parts.set(named.name, brief ? 'unread' : new Map(named.elem.map(toEntry)));
  }
  return { chains, sets: joinParts(parts) };
}

/** What is one set to everybody else. Without one of its parts it is none. */
function joinParts(parts: ReadonlyMap<string, Contents>): Map<string, Contents> {
  const names = [...parts.keys()].filter(name => partsOf(name).every(part => parts.has(part)));
  return new Map(names.map(name => [name, together(partsOf(name).map(part => parts.get(part) ?? 'unread'))]));
}

function together(parts: readonly Contents[]): Contents {
  const read = parts.filter(part => part !== 'unread');
  return read.length === parts.length ? new Map(read.flatMap(part => [...part])) : 'unread';
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
