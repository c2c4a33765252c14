import { setTimeout as sleep } from 'node:timers/promises';

/** Between two looks: short at first, for most comes soon, and longer where a look costs more than it finds. */
const [SHORTEST, LONGEST] = [20, 200];
/** As many times as long as a look takes is waited for the next, lest looking be all that the machine does. */
const RATIO = 2;
const LONGEST_AFTER_COSTLY = 2000;

/**
 * In milliseconds, how long something is waited for before it counts as hanging. Far more than anything takes, on a machine
 * that is slow and has other work as well: a test that gives up too early tells nothing.
 */
export const PATIENCE = 300_000;

/**
 * Waits for a condition instead of for time, so that a scenario is as fast as the machine and as patient
 * as its limit (in milliseconds). Gives back the first truthy value; a failure names what was awaited.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  limit: number,
  what: string,
): Promise<NonNullable<T>> {
  const end = performance.now() + limit;
  for (let interval = SHORTEST; ; interval = Math.min(interval * 1.2, LONGEST)) {
    const begun = performance.now();
    const value = await condition();
    const now = performance.now();
    if (value) return value;
    if (now > end) throw new Error(`Cannot wait any longer than ${limit} ms for ${what}`);
    await sleep(Math.max(interval, Math.min((now - begun) * RATIO, LONGEST_AFTER_COSTLY)));
  }
}

/** The same for code that may not yield: what removes a lab also runs while the process is leaving. */
export function untilSync(condition: () => boolean, limit: number): boolean {
  const end = performance.now() + limit;
  const cell = new Int32Array(new SharedArrayBuffer(4));
  while (!condition()) {
    if (performance.now() > end) return false;
    Atomics.wait(cell, 0, 0, 5);
  }
  return true;
}
