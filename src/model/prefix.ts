/** Ranges of addresses as numbers: everything that is computed with them. */

/** IPv4 or IPv6. The family is data: code that handles addresses has one path for both. */
export type Family = 4 | 6;
export const FAMILIES: readonly Family[] = [4, 6];

/** A range of addresses, written `first/length`. A single address is the prefix of full length (/32, /128). */
export interface Prefix {
  readonly family: Family;
  /** The lowest address of the range, as a number. */
  readonly first: bigint;
  /** Number of leading bits that all addresses of the range share. */
  readonly length: number;
}

/** Bits of an address: 32 (RFC 791) or 128 (RFC 4291). */
export const bits = (family: Family): number => (family === 4 ? 32 : 128);

/** Number of addresses in a prefix. Routed addresses have no network or broadcast address to lose. */
export const size = (prefix: Prefix): bigint => 1n << BigInt(bits(prefix.family) - prefix.length);

/** The highest address of the range, as a number. */
export const last = (prefix: Prefix): bigint => prefix.first + size(prefix) - 1n;

export const isSingle = (prefix: Prefix): boolean => prefix.length === bits(prefix.family);

export const equal = (a: Prefix, b: Prefix): boolean =>
  a.family === b.family && a.first === b.first && a.length === b.length;

export const isAmong = (prefixes: readonly Prefix[], prefix: Prefix): boolean =>
  prefixes.some(one => equal(one, prefix));

/** Link-local addresses are on the wire by definition (RFC 4291, 2.5.6). */
export const isLinkLocal = ({ family, first }: Prefix): boolean => family === 6 && first >> 118n === 0x3fan;

/** Whether every address of `inner` is one of `outer`. */
export const contains = (outer: Prefix, inner: Prefix): boolean =>
  outer.family === inner.family && outer.first <= inner.first && last(inner) <= last(outer);

/** Whether an address of it is the host's, there is room for its gateway, and for nobody else: at most a /30, or a /126. */
export const isOfTwo = ({ family, length }: Pick<Prefix, 'family' | 'length'>): boolean =>
  bits(family) - length <= 2;

/** Two prefixes share an address exactly if one contains the other. */
export const overlaps = (a: Prefix, b: Prefix): boolean => contains(a, b) || contains(b, a);

/** The address `offset` places above the first of a prefix, as a prefix of full length. */
export const nth = ({ family, first }: Prefix, offset: bigint): Prefix => ({
  family,
  first: first + offset,
  length: bits(family),
});

/** The prefix of a length that holds an address. */
export function prefixAround(family: Family, address: bigint, length: number): Prefix {
  const host = BigInt(bits(family) - length);
  return { family, first: (address >> host) << host, length };
}

/** Every address of a prefix in ascending order; lazily, for an IPv6 prefix never ends in practice. */
export function* addresses(prefix: Prefix): Generator<Prefix> {
  for (let offset = 0n; offset < size(prefix); offset++) yield nth(prefix, offset);
}

/** What is left of a prefix without another: the largest prefixes that cover it. */
export function subtract(from: Prefix, without: Prefix): Prefix[] {
  if (!overlaps(from, without)) return [from];
  if (contains(without, from)) return [];
  const length = from.length + 1;
  const half = { ...from, length };
  return [half, { ...half, first: from.first + size(half) }].flatMap(part => subtract(part, without));
}

/** Every range that contains a prefix and is larger, the largest first. */
export const around = ({ family, first, length }: Prefix): Prefix[] =>
  Array.from({ length }, (_, shorter) => prefixAround(family, first, shorter));

/** Orders prefixes by family, then by first address, then the larger range first. */
export function compare(a: Prefix, b: Prefix): number {
  if (a.family !== b.family) return a.family - b.family;
  if (a.first !== b.first) return a.first < b.first ? -1 : 1;
  return a.length - b.length;
}

/** The first address of an IPv6 subnet is every router's there (RFC 4291, 2.6.1), and no guest's. */
export const isAnycast = (address: Prefix, pools: readonly Prefix[]): boolean =>
  address.family === 6 &&
  isSingle(address) &&
  pools.some(pool => !isSingle(pool) && pool.family === 6 && pool.first === address.first);

/** Only a /64 can be advertised for autoconfiguration (RFC 4862, 5.5.3; RFC 4291, 2.5.1). */
export const isAdvertised = ({ family, length }: Prefix): boolean => family === 6 && length === 64;
