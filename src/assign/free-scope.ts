/** Chooses the private subnet of a bridge, so that none overlaps another. */
import { format } from '../model/address.ts';
import { articleScope } from '../model/names.ts';
import { contains, nth, overlaps, type Prefix, size } from '../model/prefix.ts';
import { Refusal } from '../model/refusal.ts';
import type { Taken } from './taken.ts';

/** So many whole /24 stay in reserve: each is worth sixteen /28, for hosts with more than 256 addresses. */
const RESERVE = 16;

/**
 * The article's scope (172.30.<last octet>.0/24) while it is free and plenty are left, or in another range the /24 of the
 * same number; else the first /24 under the same condition; else the first free /28. So a 172.30.0.0/16 serves 240 addresses in the article's
 * way and 256 more in small scopes, where the bootstrap lease comes from fewer addresses; one is needed.
 * @throws Refusal if nothing is left
 */
export function freeScope(prefix: Prefix | undefined, ranges: readonly Prefix[], taken: Taken): Prefix {
  const used = [...taken.holdings.map(({ address }) => address.scope), ...taken.routed];
  const whole = firstFree(ranges, 24, used, RESERVE + 1);
  const [first] = whole;
  if (first !== undefined && whole.length > RESERVE) {
    const isFree = (scope: Prefix): boolean =>
      ranges.some(range => contains(range, scope)) && !used.some(one => overlaps(one, scope));
    const likely =
      prefix === undefined ? [] : [articleScope(prefix), ...ranges.map(range => numbered(range, prefix))];
    return likely.find(isFree) ?? first;
  }
  // In a /24 already begun, so that whole ones stay whole as long as possible.
  const begun = used
    .filter(({ length }) => length > 24)
    .map(({ family, first }) => ({ family, first: first & ~255n, length: 24 }));
  const inRanges = begun.filter(one => ranges.some(range => contains(range, one)));
  const small = firstFree(inRanges, 28, used, 1)[0] ?? firstFree(ranges, 28, used, 1)[0];
  if (small !== undefined) return small;
  throw new Refusal(
    `Cannot find a free bootstrap scope in ${ranges.map(format).join(', ')}: add a range to "scopes" in hnet.toml`,
  );
}

/** The /24 of a range that bears an address's last octet: 10.30.116.0/24 of 10.30.0.0/16. */
const numbered = ({ family, first }: Prefix, address: Prefix): Prefix => ({
  family,
  first: first + ((address.first & 255n) << 8n),
  length: 24,
});

/** The first `count` subnets of a length that overlap nothing used. */
function firstFree(
  ranges: readonly Prefix[],
  length: number,
  used: readonly Prefix[],
  count: number,
): Prefix[] {
  const step = 1n << BigInt(32 - length);
  const isUsed = membership(used, length);
  const free: Prefix[] = [];
  for (const range of ranges.filter(one => one.length <= length)) {
    for (let offset = 0n; offset < size(range) && free.length < count; offset += step) {
      const subnet = { ...nth(range, offset), length };
      if (!isUsed(subnet.first)) free.push(subnet);
    }
  }
  return free;
}

/**
 * Whether a subnet of a length overlaps anything used: asked of one set for each length that occurs, not of every
 * used prefix, of which there may be thousands.
 */
function membership(used: readonly Prefix[], length: number): (first: bigint) => boolean {
  const sets = new Map<number, Set<bigint>>();
  for (const prefix of used) {
    const shorter = Math.min(prefix.length, length);
    const firsts = sets.get(shorter) ?? new Set();
    sets.set(shorter, firsts.add(start(prefix.first, shorter)));
  }
  return first => [...sets].some(([shorter, firsts]) => firsts.has(start(first, shorter)));
}

const start = (address: bigint, length: number): bigint =>
  (address >> BigInt(32 - length)) << BigInt(32 - length);
