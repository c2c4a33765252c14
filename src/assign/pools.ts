/** How much of each pool is in use, and by what. */
import { routeKey } from '../model/address.ts';
import { HOST_METRIC } from '../model/names.ts';
import {
  bits,
  compare,
  contains,
  isAnycast,
  last,
  overlaps,
  type Prefix,
  size,
  subtract,
} from '../model/prefix.ts';
import type { Reservation } from '../model/reservation.ts';
import type { View } from '../model/view.ts';
import type { Held } from './allocate.ts';
import type { Holding } from './taken.ts';

/** `up`: its route leads to its bridge. `reserved`: the host's own, another host's, a gateway's, every router's, or kept by the operator. */
export type UseState = 'assigned' | 'up' | 'reserved';

/** A part of a pool that isn't free. */
export interface Use {
  readonly prefix: Prefix;
  readonly state: UseState;
  readonly holding: Holding | undefined;
  /** The interface on which the host itself has it. */
  readonly device: string | undefined;
  /** The other host of the cluster that has it itself. */
  readonly peer: string | undefined;
  /** For whom the operator keeps it, where nobody has it. */
  readonly reservation: Reservation | undefined;
}

export interface PoolUse {
  readonly pool: Prefix;
  /** In ascending order; no two of them share an address. */
  readonly uses: readonly Use[];
}

const NOBODYS = { holding: undefined, device: undefined, peer: undefined, reservation: undefined };

export function poolUse(
  pool: Prefix,
  taken: Held,
  routes: View['routes'],
  reservations: readonly Reservation[] = [],
): PoolUse {
  const reserved = (prefix: Prefix, by: Partial<Pick<Use, 'device' | 'peer' | 'reservation'>> = {}): Use => ({
    prefix,
    state: 'reserved',
    ...NOBODYS,
    ...by,
  });
  const held = taken.holdings.map(holding => heldUse(holding, routes));
  const all = [
    ...held,
    ...taken.host.map(({ address, device }) => reserved(address, { device })),
    ...taken.peers.map(({ address, host: peer }) => reserved(address, { peer })),
    ...taken.own.map(prefix => reserved(prefix)),
    ...[{ ...pool, length: bits(pool.family) }]
      .filter(one => isAnycast(one, [pool]))
      .map(one => reserved(one)),
    ...reservations.flatMap(one =>
      leftOf(one.address, held).map(part => reserved(part, { reservation: one })),
    ),
  ].filter(({ prefix }) => contains(pool, prefix));
  const uses: Use[] = [];
  // A domain's subnet may hold an address of the host's, and both descriptions of a domain may have the same address.
  for (const use of all.toSorted((a, b) => compare(a.prefix, b.prefix)))
    if (!uses.some(({ prefix }) => overlaps(prefix, use.prefix))) uses.push(use);
  return { pool, uses };
}

/** What of a range is left without what domains have of it. */
const leftOf = (range: Prefix, held: readonly Use[]): Prefix[] =>
  held.reduce<Prefix[]>((parts, { prefix }) => parts.flatMap(part => subtract(part, prefix)), [range]);

function heldUse(holding: Holding, routes: View['routes']): Use {
  const { prefix, bridge } = holding.address;
  const route = routes.get(routeKey(prefix, HOST_METRIC[prefix.family]));
  return {
    prefix,
    state: (holding.runs ?? route?.dev === bridge) ? 'up' : 'assigned',
    ...NOBODYS,
    holding,
  };
}

/** Numbers of addresses. */
export interface Occupancy extends Readonly<Record<UseState | 'size' | 'free', bigint>> {}

export function occupancy({ pool, uses }: PoolUse): Occupancy {
  const sum = (state: UseState): bigint =>
    uses.reduce((total, use) => total + (use.state === state ? size(use.prefix) : 0n), 0n);
  const used = { assigned: sum('assigned'), up: sum('up'), reserved: sum('reserved') };
  return { size: size(pool), free: size(pool) - used.assigned - used.up - used.reserved, ...used };
}

/** The free addresses of a pool in ascending order; lazily, for of an IPv6 pool there is no end in practice. */
export function* freeOf({ pool, uses }: PoolUse): Generator<Prefix> {
  let next = pool.first;
  for (const { prefix } of uses) {
    yield* between(next, prefix.first - 1n, pool);
    next = last(prefix) + 1n;
  }
  yield* between(next, last(pool), pool);
}

function* between(from: bigint, to: bigint, { family }: Prefix): Generator<Prefix> {
  for (let first = from; first <= to; first++) yield { family, first, length: bits(family) };
}
