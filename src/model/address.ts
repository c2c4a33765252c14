import { Address4, Address6 } from 'ip-address';
import { quote, Refusal } from './refusal.ts';

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

/** Link-local addresses are on the wire by definition (RFC 4291, 2.5.6). */
export const isLinkLocal = ({ family, first }: Prefix): boolean => family === 6 && first >> 118n === 0x3fan;

/** Whether every address of `inner` is one of `outer`. */
export const contains = (outer: Prefix, inner: Prefix): boolean =>
  outer.family === inner.family && outer.first <= inner.first && last(inner) <= last(outer);

/** Two prefixes share an address exactly if one contains the other. */
export const overlaps = (a: Prefix, b: Prefix): boolean => contains(a, b) || contains(b, a);

/** The address `offset` places above the first of a prefix, as a prefix of full length. */
export function nth(prefix: Prefix, offset: bigint): Prefix {
  return { family: prefix.family, first: prefix.first + offset, length: bits(prefix.family) };
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
export function around({ family, first, length }: Prefix): Prefix[] {
  return Array.from({ length }, (_, shorter) => {
    const host = BigInt(bits(family) - shorter);
    return { family, first: (first >> host) << host, length: shorter };
  });
}

/** Orders prefixes by family, then by first address, then the larger range first. */
export function compare(a: Prefix, b: Prefix): number {
  if (a.family !== b.family) return a.family - b.family;
  if (a.first !== b.first) return a.first < b.first ? -1 : 1;
  return a.length - b.length;
}

/** An address in its canonical form (RFC 5952 for IPv6), without a length. */
export function formatAddress(family: Family, value: bigint): string {
  return family === 4
    ? `${value >> 24n}.${(value >> 16n) & 255n}.${(value >> 8n) & 255n}.${value & 255n}`
    : Address6.fromBigInt(value).correctForm();
}

/** `123.45.90.112/29`; a single address without its length. */
export function format(prefix: Prefix): string {
  const address = formatAddress(prefix.family, prefix.first);
  return isSingle(prefix) ? address : `${address}/${prefix.length}`;
}

/** `123.45.90.116/32`: the length always written, as interface addresses and NSS-like files need it. */
export function formatLong(prefix: Prefix): string {
  return `${formatAddress(prefix.family, prefix.first)}/${prefix.length}`;
}

/**
 * Reads `ADDRESS` or `ADDRESS/LENGTH`.
 * @throws Refusal if it is neither, has a zone index, or has bits set beyond its length.
 */
export function parsePrefix(text: string): Prefix {
  const { family, value, length } = parseParts(text);
  const first = value - (value & ((1n << BigInt(bits(family) - length)) - 1n));
  if (first !== value) {
    const network = format({ family, first, length });
    throw new Refusal(`${quote(text)} has host bits set: the subnet is ${network}`);
  }
  return { family, first, length };
}

/**
 * Reads an interface address, `ADDRESS/LENGTH` where the address may lie anywhere in its subnet.
 * @throws Refusal as {@link parsePrefix}, but not for host bits.
 */
export function parseInterfaceAddress(text: string): { address: Prefix; length: number } {
  const { family, value, length } = parseParts(text);
  return { address: { family, first: value, length: bits(family) }, length };
}

/** Ranges that no domain is given, whatever a pool says (RFC 6890; RFC 4291, 2.4). */
const SPECIAL = (
  [
    ['a multicast', '224.0.0.0/4'],
    ['a multicast', 'ff00::/8'],
    ['a link-local', '169.254.0.0/16'],
    ['a link-local', 'fe80::/10'],
    ['a loopback', '127.0.0.0/8'],
    ['the loopback', '::1'],
    ['the unspecified', '::'],
  ] as const
).map(([what, range]) => ({ what, range: parsePrefix(range) }));

/**
 * Reads what may be routed to a domain: an address or a subnet of unicast addresses.
 * @throws Refusal as {@link parsePrefix}, and for multicast, link-local, loopback and IPv4-mapped addresses.
 */
export function parseRoutable(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix.family === 6 && prefix.first >> 32n === 0xffffn)
    throw new Refusal(`${quote(text)} is an IPv4-mapped address: write the IPv4 address itself`);
  const special = SPECIAL.find(({ range }) => contains(range, prefix));
  if (special !== undefined)
    throw new Refusal(`${quote(text)} is ${special.what} address, which can't be routed to a domain`);
  return prefix;
}

/** The subnet of an interface address as the kernel writes it, `172.30.116.1/24`. */
export function parseSubnet(text: string): Prefix {
  const { address, length } = parseInterfaceAddress(text);
  const host = BigInt(bits(address.family) - length);
  return { family: address.family, first: (address.first >> host) << host, length };
}

/** Reads a single address. @throws Refusal for a range or anything {@link parsePrefix} refuses. */
export function parseAddress(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (!isSingle(prefix)) throw new Refusal(`${quote(text)} is a subnet, where a single address is needed`);
  return prefix;
}

function parseParts(text: string): { family: Family; value: bigint; length: number } {
  if (text.includes('%'))
    throw new Refusal(`${quote(text)} has a zone index, which only means something on one machine`);
  const [, address, length] = /^([0-9a-fA-F.:]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  if (address === undefined) throw notAnAddress(text);
  const family: Family = address.includes(':') ? 6 : 4;
  if (Number(length ?? 0) > bits(family)) throw notAnAddress(text);
  try {
    const parsed = family === 4 ? new Address4(address) : new Address6(address);
    return { family, value: parsed.bigInt(), length: length === undefined ? bits(family) : Number(length) };
  } catch {
    throw notAnAddress(text);
  }
}

function notAnAddress(text: string): Refusal {
  return new Refusal(
    `${quote(text)} is not an IP address or subnet such as 123.45.90.116 or 123.45.90.112/29`,
  );
}
