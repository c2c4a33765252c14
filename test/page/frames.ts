import type { Page } from 'playwright-core';

/** The times between two pictures of the browser, in milliseconds. */
export interface Frames {
  readonly count: number;
  readonly median: number;
  /** Of a hundred, five took longer. */
  readonly slow: number;
  readonly longest: number;
}

/** Notes when the browser draws, while something is done with the page. */
export async function framesDuring(page: Page, work: () => Promise<void>): Promise<Frames> {
  await page.evaluate(`
    globalThis.drawn = [];
    const note = time => { drawn.push(time); globalThis.drawing = requestAnimationFrame(note); };
    globalThis.drawing = requestAnimationFrame(note);`);
  await work();
  const drawn = await page.evaluate<number[]>('cancelAnimationFrame(drawing); drawn');
  const times = drawn.flatMap((time, at) => (at === 0 ? [] : [time - (drawn[at - 1] ?? time)]));
  const sorted = times.toSorted((one, other) => one - other);
  const at = (part: number): number => Math.round(sorted[Math.floor(part * (sorted.length - 1))] ?? 0);
  return { count: times.length, median: at(0.5), slow: at(0.95), longest: at(1) };
}
