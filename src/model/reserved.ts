/** Ranges that nobody routes on the Internet (IANA's special-purpose registries, RFC 6890). */
import { bits, type Family, overlaps, type Prefix } from './prefix.ts';

/** A prefix by its first octets, or in IPv6 by its first groups. */
const range = (family: Family, length: number, ...parts: readonly number[]): Prefix => {
  const width = family === 4 ? 8 : 16;
  const value = parts.reduce((sum, part) => (sum << BigInt(width)) | BigInt(part), 0n);
  return { family, first: value << BigInt(bits(family) - width * parts.length), length };
};

/** Where anybody may number networks of their own: RFC 1918, and RFC 6598 for what carriers share. */
export const PRIVATE: readonly Prefix[] = [
  range(4, 8, 10),
  range(4, 12, 172, 16),
  range(4, 16, 192, 168),
  range(4, 10, 100, 64),
];

/** The same with link-local addresses (RFC 3927), and in IPv6 (RFC 4193). */
export const UNROUTED: Readonly<Record<Family, readonly Prefix[]>> = {
  4: [...PRIVATE, range(4, 16, 169, 254)],
  6: [range(6, 7, 0xfc00)],
};

/**
 * All that no packet to the Internet is addressed to. Left out is what the kernel forwards nowhere anyway: loopback,
 * link-local addresses of IPv6, multicast.
 */
export const RESERVED: Readonly<Record<Family, readonly Prefix[]>> = {
  4: [
    ...UNROUTED[4],
    range(4, 8, 0),
    range(4, 24, 192, 0, 0),
    // For documentation, thrice (RFC 5737), and for benchmarks (RFC 2544).
    range(4, 24, 192, 0, 2),
    range(4, 24, 198, 51, 100),
    range(4, 24, 203, 0, 113),
    range(4, 15, 198, 18),
    range(4, 4, 240),
  ],
  6: [
    ...UNROUTED[6],
    // What site-local addresses were (RFC 3879), to be discarded (RFC 6666), translated on site (RFC 8215), for
    // benchmarks (RFC 5180), for documentation (RFC 3849, RFC 9637), segments (RFC 9602).
    range(6, 10, 0xfec0),
    range(6, 64, 0x100),
    range(6, 48, 0x64, 0xff9b, 1),
    range(6, 48, 0x2001, 2),
    range(6, 32, 0x2001, 0xdb8),
    range(6, 20, 0x3fff),
    range(6, 16, 0x5f00),
  ],
};

/** What a host calls itself by (RFC 6890; RFC 4291, 2.5.3). */
export const LOOPBACK: Readonly<Record<Family, Prefix>> = {
  4: range(4, 8, 127),
  6: range(6, 128, 0, 0, 0, 0, 0, 0, 0, 1),
};

/** Whether some of a range is such. */
export const isReserved = (prefix: Prefix): boolean =>
  RESERVED[prefix.family].some(range => overlaps(range, prefix));
