/** The lines of a graph of traffic. */
import { addressKey, type Rate, type Sample } from './seen.ts';

interface Graph {
  /** The lines, as the `d` of an SVG path; empty before there are two samples. */
  readonly in: string;
  readonly out: string;
  /** The value at the top, in bytes a second. */
  readonly top: number;
  /** The time that the graph covers, in seconds. */
  readonly seconds: number;
  readonly latest: Rate;
}

/** One below which a graph would magnify noise, in bytes a second. */
const LEAST = 1024;

/** @param size of the area in which the lines are drawn; the newest sample is at its right edge */
export function graphOf(
  samples: readonly Sample[],
  uuid: string,
  addresses: readonly string[],
  size: { readonly width: number; readonly height: number },
): Graph {
  const keys = addresses.map(address => addressKey({ uuid, address }));
  const points = samples.map(({ at, rates }) => ({
    at,
    in: sum(keys, key => rates.get(key)?.in),
    out: sum(keys, key => rates.get(key)?.out),
  }));
  const top = roundedUp(Math.max(LEAST, ...points.flatMap(one => [one.in, one.out])));
  const first = points[0]?.at ?? 0;
  const last = points.at(-1)?.at ?? 0;
  const span = Math.max(1, last - first);
  const line = (way: 'in' | 'out'): string =>
    points.length < 2
      ? ''
      : points
          .map((one, place) => {
            const x = ((one.at - first) / span) * size.width;
            const y = size.height - (one[way] / top) * size.height;
            return `${place === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
          })
          .join('');
  const latest = points.at(-1) ?? { in: 0, out: 0 };
  return {
    in: line('in'),
    out: line('out'),
    top,
    seconds: Math.round((last - first) / 1000),
    latest: { in: latest.in, out: latest.out },
  };
}

const sum = (keys: readonly string[], of: (key: string) => number | undefined): number =>
  keys.reduce((total, key) => total + (of(key) ?? 0), 0);

/** The next of 1, 2, 5 times a power of 1024, or of ten of them. */
function roundedUp(value: number): number {
  const unit = 1024 ** Math.floor(Math.log(value) / Math.log(1024));
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1024].find(one => one * unit >= value) ?? 1024;
  return step * unit;
}
