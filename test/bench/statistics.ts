/** The value below which a share of the samples lies, interpolated between neighbours. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const [below = Number.NaN, above = Number.NaN] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below + (above - below) * (place - Math.floor(place));
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

/** Adds several series of equal length, round by round. */
export function sum(...series: readonly (readonly number[])[]): number[] {
  const [first = []] = series;
  return first.map((_, round) => series.reduce((total, each) => total + (each[round] ?? Number.NaN), 0));
}
