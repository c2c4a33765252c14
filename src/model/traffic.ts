import { type Counter, plus, ZERO } from './counter.ts';

/** Traffic of an address: `in` towards the domain, `out` from it. */
export interface Traffic {
  readonly in: Counter;
  readonly out: Counter;
}

export const NO_TRAFFIC: Traffic = { in: ZERO, out: ZERO };

/** A total, and what was counted since the counters said `seen`. */
export const grown = (total: Traffic, seen: Traffic, counted: Traffic): Traffic => ({
  in: plus(total.in, since(seen.in, counted.in)),
  out: plus(total.out, since(seen.out, counted.out)),
});

/** A counter that is lower than it was has begun anew. */
const since = (seen: Counter, counted: Counter): Counter =>
  counted.packets < seen.packets
    ? counted
    : { packets: counted.packets - seen.packets, bytes: counted.bytes - seen.bytes };

const sum = (a: Traffic, b: Traffic): Traffic => ({ in: plus(a.in, b.in), out: plus(a.out, b.out) });

/** Month (`2026-11`, in UTC) → UUID of the domain that had the address → its traffic in that month. */
export type Months = Readonly<Record<string, Readonly<Record<string, Traffic>>>>;

/** What a domain's total has grown by is the traffic of a month. */
export function credited(
  months: Months,
  month: string,
  domain: string,
  before: Traffic,
  after: Traffic,
): Months {
  if (isSame(before, after)) return months;
  const known = months[month]?.[domain] ?? NO_TRAFFIC;
  return { ...months, [month]: { ...months[month], [domain]: sum(known, grown(NO_TRAFFIC, before, after)) } };
}

export const isSame = (a: Traffic, b: Traffic): boolean =>
  (['in', 'out'] as const).every(way => a[way].packets === b[way].packets && a[way].bytes === b[way].bytes);
