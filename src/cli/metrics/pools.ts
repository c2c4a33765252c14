import type { Occupancy } from '../../assign/pools.ts';
import type { Metric } from './exposition.ts';

interface Pool extends Occupancy {
  readonly pool: string;
}

const STATES = ['free', 'assigned', 'up', 'reserved'] as const;

/** How much of each pool is free, and what the rest is. */
export const poolMetrics = (pools: readonly Pool[]): Metric[] => [
  {
    name: 'hnet_pool_addresses',
    type: 'gauge',
    help: 'Addresses of a pool in each state; up are those of running domains, assigned those of stopped ones.',
    samples: pools.flatMap(one =>
      STATES.map(state => [{ pool: one.pool, family: familyOf(one), state }, one[state]] as const),
    ),
  },
  {
    name: 'hnet_pool_size_addresses',
    type: 'gauge',
    help: 'Addresses of a pool.',
    samples: pools.map(one => [{ pool: one.pool, family: familyOf(one) }, one.size]),
  },
];

const familyOf = ({ pool }: Pool): string => (pool.includes(':') ? 'ipv6' : 'ipv4');
