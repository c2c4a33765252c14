/** Addresses as text: written and read. prefix.ts calculates with them. */
import { Address4, Address6 } from 'ip-address';
import { bits, contains, type Family, isSingle, type Prefix } from './prefix.ts';
import { quote, Refusal } from './refusal.ts';

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

/** `123.45.90.116/32`: always with its length, as interface addresses need it. */
export function formatLong(prefix: Prefix): string {
  return `${formatAddress(prefix.family, prefix.first)}/${prefix.length}`;
}

/** `123.45.90.116-32`: a prefix as a file name. */
export const dashed = (prefix: Prefix): string => formatLong(prefix).replace('/', '-');

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

/** Ranges that no domain may have, whatever the pools are (RFC 6890; RFC 4291, 2.4). */
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

/** Routes of one prefix differ by their metric; the better one wins, the other waits. */
export const routeKey = (prefix: Prefix, metric: number): string => `${formatLong(prefix)} ${metric}`;
