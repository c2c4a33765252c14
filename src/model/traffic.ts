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

export const isSame = (a: Traffic, b: Traffic): boolean =>
  (['in', 'out'] as const).every(way => a[way].packets === b[way].packets && a[way].bytes === b[way].bytes);
