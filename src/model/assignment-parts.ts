/** Of what an assignment consists, to say in which parts two differ. */
import type { Assignment } from './assignment.ts';

/** Whose it is says nothing of what its domain has. */
export type Part = Exclude<keyof Assignment, 'owner'>;
type Parts = Pick<Assignment, Part>;

/** What people call each; the type makes whoever adds a part name it, and then it is compared. */
export const PART_WORDS: Readonly<Record<Part, string>> = {
  addresses: 'addresses',
  policy: 'rules',
  forwards: 'forwards',
  dhcp: 'DHCP mode',
  boot: 'boot file',
};

const PARTS = Object.keys(PART_WORDS) as Part[];

/** The parts in which two assignments differ. Addresses have no order; rules and forwards do. */
export const differingParts = (a: Parts, b: Parts): Part[] =>
  PARTS.filter(part => textOf(a[part]) !== textOf(b[part]));

/** Whatever properties a value has, and in whatever order. None are as good as no part at all. */
const textOf = (value: Parts[Part] = []): string =>
  Array.isArray(value) && value.every(one => 'prefix' in one)
    ? value.map(canonical).toSorted().join()
    : canonical(value);

const canonical = (value: unknown): string => JSON.stringify(value, (_, one) => plain(one));

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
