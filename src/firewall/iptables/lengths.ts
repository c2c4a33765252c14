/** Prefixes as ipset finds them quickly: it looks up once for each prefix length that a set holds. */
import { bits, type Family, nth, type Prefix, prefixAround, size } from '../../model/prefix.ts';

/** A shorter and a longer one, which are enough for all that the Internet doesn't route. */
const LENGTHS: Readonly<Record<Family, readonly [number, number]>> = { 4: [8, 16], 6: [8, 32] };

/** Into so many parts a prefix may be cut, by the bits by which their length exceeds its own. */
const MOST_BITS = 6;

/** At least the same addresses in prefixes of two lengths: cut into parts, or widened where these would be too many. */
export const inFewLengths = (prefixes: readonly Prefix[]): Prefix[] =>
  prefixes.flatMap(prefix => {
    const [shorter, longer] = LENGTHS[prefix.family];
    const length = [shorter, longer].find(one => one >= prefix.length && one <= prefix.length + MOST_BITS);
    if (length !== undefined) return parts(prefix, length);
    if (prefix.length < shorter) return [prefix];
    return [prefixAround(prefix.family, prefix.first, prefix.length < longer ? shorter : longer)];
  });

function parts(prefix: Prefix, length: number): Prefix[] {
  const each = 1n << BigInt(bits(prefix.family) - length);
  return Array.from({ length: Number(size(prefix) / each) }, (_, part) => ({
    ...nth(prefix, each * BigInt(part)),
    length,
  }));
}
