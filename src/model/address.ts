/** Addresses as text: written and read. prefix.ts calculates with them. */
import { Address4, Address6 } from 'ip-address';
import { bits, contains, type Family, isSingle, type Prefix, prefixAround, size } from './prefix.ts';
import { ifPossible, quote, Refusal } from './refusal.ts';

/** An address in its canonical form (RFC 5952 for IPv6), without a length. */
export function formatAddress(family: Family, value: bigint): string {
  return family === 4
    ? `${value >> 24n}.${(value >> 16n) & 255n}.${(value >> 8n) & 255n}.${value & 255n}`
    : Address6.fromBigInt(value).correctForm();
}

/** `123.45.90.112/29`; a single address without its length. */
export const format = (prefix: Prefix): string =>
  isSingle(prefix) ? formatAddress(prefix.family, prefix.first) : formatLong(prefix);

/** `123.45.90.116/32`: always with its length, as interface addresses need it. */
export const formatLong = ({ family, first, length }: Prefix): string =>
  `${formatAddress(family, first)}/${length}`;

/** `123.45.90.116-32`: a prefix as a file name. */
export const dashed = (prefix: Prefix): string => formatLong(prefix).replace('/', '-');

/** Reads `ADDRESS` or `ADDRESS/LENGTH`. @throws Refusal if it is neither, has a zone index, or bits set beyond its length */
export function parsePrefix(text: string): Prefix {
  const { family, value, length } = parseParts(text);
  const prefix = prefixAround(family, value, length);
  if (prefix.first === value) return prefix;
  throw new Refusal(`${quote(text)} has host bits set: the subnet is ${format(prefix)}`);
}

/** Reads an interface address, anywhere in its subnet. @throws Refusal as {@link parsePrefix}, but not for host bits */
export function parseInterfaceAddress(text: string): { address: Prefix; length: number } {
  const { family, value, length } = parseParts(text);
  return { address: { family, first: value, length: bits(family) }, length };
}

/** Ranges that no domain may have, whatever the pools are (RFC 6890; RFC 4291, 2.4). */
const SPECIAL = Object.entries({
  'a multicast': ['224.0.0.0/4', 'ff00::/8'],
  'a link-local': ['169.254.0.0/16', 'fe80::/10'],
  'a loopback': ['127.0.0.0/8'],
  'the loopback': ['::1'],
  'the unspecified': ['::'],
}).flatMap(([what, ranges]) => ranges.map(range => ({ what, range: parsePrefix(range) })));

/** Reads a prefix that may be routed to a domain. @throws Refusal as {@link parsePrefix}, and for what isn't unicast */
export function parseRoutable(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix.family === 6 && prefix.first >> 32n === 0xffffn)
    throw new Refusal(`${quote(text)} is an IPv4-mapped address: write the IPv4 address itself`);
  const special = SPECIAL.find(({ range }) => contains(range, prefix));
  if (special === undefined) return prefix;
  throw new Refusal(`${quote(text)} is ${special.what} address, which can't be routed to a domain`);
}

/** The subnet of an interface address as the kernel writes it, `172.30.116.1/24`. */
export function parseSubnet(text: string): Prefix {
  const { family, value, length } = parseParts(text);
  return prefixAround(family, value, length);
}

/** Reads a single address. @throws Refusal for a range or anything {@link parsePrefix} refuses. */
export function parseAddress(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (isSingle(prefix)) return prefix;
  throw new Refusal(`${quote(text)} is a subnet, where a single address is needed`);
}

function parseParts(text: string): { family: Family; value: bigint; length: number } {
  if (text.includes('%'))
    throw new Refusal(`${quote(text)} has a zone index, which only means something on one machine`);
  const [, address = '', given] = /^([0-9a-fA-F.:]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const family: Family = address.includes(':') ? 6 : 4;
  const length = Number(given ?? bits(family));
  const value = ifPossible(() => (family === 4 ? new Address4(address) : new Address6(address)).bigInt());
  if (value !== undefined && length <= bits(family)) return { family, value, length };
  throw new Refusal(
    `${quote(text)} is not an IP address or subnet such as 123.45.90.116 or 123.45.90.112/29`,
  );
}

/** Routes of one prefix differ by their metric; the better one wins, the other waits. */
export const routeKey = (prefix: Prefix, metric: number): string => `${formatLong(prefix)} ${metric}`;

/** An address or subnet; nothing if it is written in a form that hnet doesn't know, such as a mask with gaps. */
export function readSubnet(text: string): Prefix[] {
  try {
    return [parsePrefix(text)];
  } catch {
    return [];
  }
}

/** All addresses from one to another, as the largest subnets; nothing if they are written in a form that hnet doesn't know. */
export function readRange(from: string, to: string): Prefix[] {
  const [[start], [end]] = [readSubnet(from), readSubnet(to)];
  if (start === undefined || end === undefined || start.family !== end.family) return [];
  const prefixes: Prefix[] = [];
  for (let first = start.first; first <= end.first; ) {
    const fits = (length: number): boolean => {
      const subnet = { family: start.family, first, length };
      return first % size(subnet) === 0n && first + size(subnet) - 1n <= end.first;
    };
    const length =
      Array.from({ length: bits(start.family) + 1 }, (_, index) => index).find(fits) ?? bits(start.family);
    prefixes.push({ family: start.family, first, length });
    first += size({ family: start.family, first, length });
  }
  return prefixes;
}
