/** How much of each pool is in use. */
import { occupancy, type PoolUse } from '../../assign/pools.ts';
import { format } from '../../model/address.ts';
import { table } from '../table.ts';
import type { ShownPool } from './shapes.ts';

export const poolShown = (use: PoolUse): ShownPool => ({ pool: format(use.pool), ...occupancy(use) });

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
