import { median, quantile } from './statistics.ts';

/** How a figure stands to another, and what it should reach. */
export interface Comparison {
  /** A ratio unless it has a unit. */
  readonly value: number;
  readonly unit: string;
  /** What it is compared with, in words: `of net-start + net-destroy`, `over the sh hook`. */
  readonly to: string;
  readonly target?: Target;
}

export interface Target {
  readonly bound: 'at most' | 'at least';
  readonly value: number;
}

/** One thing that was measured: a line of the table. */
export interface Figure {
  readonly what: string;
  readonly unit: string;
  readonly median: number;
  /** The 10th and the 90th percentile: how far single rounds lie apart. */
  readonly low: number;
  readonly high: number;
  readonly samples: number;
  readonly comparisons: readonly Comparison[];
}

export const atMost = (value: number): Target => ({ bound: 'at most', value });
export const atLeast = (value: number): Target => ({ bound: 'at least', value });

/** @throws Error if there are no samples: a figure that stands on nothing must not look like one */
export function figure(
  what: string,
  unit: string,
  samples: readonly number[],
  comparisons: readonly Comparison[] = [],
): Figure {
  if (samples.length === 0 || samples.some(Number.isNaN))
    throw new Error(`Cannot measure "${what}": no samples`);
  const [low, high] = [quantile(samples, 0.1), quantile(samples, 0.9)];
  return { what, unit, median: median(samples), low, high, samples: samples.length, comparisons };
}

/**
 * The median of the ratios of each round's own pair. On a machine with other work, what disturbs one sample of
 * a round disturbs its neighbour too, so this is far steadier than the ratio of two medians.
 */
export function ratio(a: readonly number[], b: readonly number[], to: string, target?: Target): Comparison {
  const value = median(a.map((each, round) => each / (b[round] ?? Number.NaN)));
  return { value, unit: '', to, ...(target && { target }) };
}

/** The same for differences. */
export function difference(
  a: readonly number[],
  b: readonly number[],
  unit: string,
  to: string,
  target?: Target,
): Comparison {
  const value = median(a.map((each, round) => each - (b[round] ?? Number.NaN)));
  return { value, unit, to, ...(target && { target }) };
}

/** Whether a comparison keeps its target; one without a target always does. */
export function holds({ value, target }: Comparison): boolean {
  if (target === undefined) return true;
  return target.bound === 'at most' ? value <= target.value : value >= target.value;
}
