/** For an address that can't be had, the one that can. */
import { format } from '../model/address.ts';
import { contains, isAnycast, overlaps, type Prefix, size } from '../model/prefix.ts';
import { Refusal } from '../model/refusal.ts';
import type { Taken } from './taken.ts';

/** How far it looks in each direction, in steps of the wanted size. */
const FARTHEST = 1024n;

/**
 * The free address, or subnet of the same size, that is nearest to one, in its own pool; undefined if it is free itself, or
 * in no pool, or none is near.
 */
export function nearestFree(
  wanted: Prefix,
  pools: readonly Prefix[],
  { holdings, own, host }: Pick<Taken, 'holdings' | 'own' | 'host'>,
  reserved: readonly Prefix[],
): Prefix | undefined {
  const pool = pools.find(one => contains(one, wanted));
  if (pool === undefined) return undefined;
  const used = [
    ...holdings.map(({ address }) => address.prefix),
    ...own,
    ...host.map(({ address }) => address),
    ...reserved,
  ].filter(one => overlaps(pool, one));
  const isFree = (one: Prefix): boolean =>
    contains(pool, one) && !isAnycast(one, [pool]) && !used.some(other => overlaps(other, one));
  if (isFree(wanted)) return undefined;
  for (let step = 1n; step <= FARTHEST; step++)
    for (const way of [step, -step]) {
      const first = wanted.first + way * size(wanted);
      if (first >= 0n && isFree({ ...wanted, first })) return { ...wanted, first };
    }
  return undefined;
}

/** Runs checks of the wanted addresses. @throws Refusal of theirs, with what is free in place of the first that isn't */
export function withWayOut(
  wanted: readonly Prefix[],
  pools: readonly Prefix[],
  taken: Taken,
  reserved: readonly Prefix[],
  check: () => void,
): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const [near] = wanted.flatMap(one => nearestFree(one, pools, taken, reserved) ?? []);
    throw near === undefined
      ? error
      : new Refusal(`${error.message}; the nearest free one is ${format(near)}`);
  }
}
