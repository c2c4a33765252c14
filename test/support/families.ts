/** What the tests of both families are played with: family is data. */
import type { Family } from '../../src/model/prefix.ts';
import { INTERNET, INTERNET6 } from '../lab/site.ts';

/** The same places in each family: two domains', one that nobody has, the far end's and the host's own. */
export interface Places {
  readonly family: Family;
  readonly mine: string;
  readonly neighbour: string;
  readonly unassigned: string;
  readonly internet: string;
  readonly host: string;
  /** Under what else the far end can send: somebody in a network of its own, and somebody outside of that. */
  readonly foreign: string;
  readonly foreignNet: string;
  readonly outsider: string;
  readonly everybody: string;
}

const FOUR: Places = {
  family: 4,
  mine: '123.45.90.116',
  neighbour: '123.45.90.117',
  unassigned: '123.45.90.115',
  internet: INTERNET,
  host: '123.45.12.48',
  foreign: '203.0.113.9',
  foreignNet: '203.0.113.0/24',
  outsider: '203.0.114.9',
  everybody: '0.0.0.0/0',
};
export const SIX: Places = {
  family: 6,
  mine: '2001:db8:12:48::116',
  neighbour: '2001:db8:12:48::117',
  unassigned: '2001:db8:12:48::115',
  internet: INTERNET6,
  host: '2001:db8:12:48::2',
  foreign: '2001:db8:9::9',
  foreignNet: '2001:db8:9::/48',
  outsider: '2001:db8:a::9',
  everybody: '::/0',
};
export const FAMILIES: readonly Places[] = [FOUR, SIX];

/** Two domains with an address of each family. */
export const BOTH = {
  mine: FAMILIES.map(({ mine }) => mine),
  neighbour: FAMILIES.map(({ neighbour }) => neighbour),
} as const;
