/** How much of each pool is in use. */
import { occupancy, type PoolUse } from '../../assign/pools.ts';
import { format } from '../../model/address.ts';
import type { Reservation } from '../../model/reservation.ts';
import { table } from '../table.ts';
import type { KeptBack, ShownPool } from './shapes.ts';

export const poolShown = (use: PoolUse): ShownPool => ({ pool: format(use.pool), ...occupancy(use) });

export const reservationShown = ({
  address,
  name,
  since,
}: Reservation): KeptBack['reservations'][number] => ({
  address: format(address),
  name: name ?? null,
  since,
});

export const poolTable = (pools: readonly ShownPool[], colour: boolean): string[] =>
  table(
    ['POOL', 'FREE', 'ASSIGNED', 'UP', 'RESERVED'],
    pools.map(({ pool, size, free, assigned, up, reserved }) => [
      pool,
      { amount: `${free} of ${size}` },
      assigned,
      up,
      reserved,
    ]),
    colour,
  );
