import { Lab } from '../lab/lab.ts';
import { run } from '../lab/run.ts';
import type { Figure } from './figure.ts';

/** A row of the benchmark: one file in rows/, listed in rows.ts. */
export interface Row {
  /** For --only. */
  readonly name: string;
  /** The heading over its figures. */
  readonly title: string;
  /** Programs that it needs beyond test/lab/packages, and the Debian package of each. */
  readonly needs?: Readonly<Record<string, string>>;
  readonly run: (bench: Bench) => Promise<readonly Figure[]>;
}

/** What a row is given: how much to measure, and where. */
export interface Bench {
  readonly quick: boolean;
  /** Says what is being done, on standard error: some of it takes a minute. */
  readonly step: (what: string) => void;
}

/** Measures in a lab of its own, which is gone afterwards, whatever happens. */
export async function inLab<T>(measure: (lab: Lab) => Promise<T>): Promise<T> {
  await freshKernel();
  const lab = await Lab.create();
  try {
    return await measure(lab);
  } finally {
    lab.remove();
  }
}

/**
 * A lab with thousands of bridges is gone at once for us, but the kernel takes them apart for a minute, and holds
 * up whoever makes a network namespace meanwhile. So making one is how to wait for it.
 */
async function freshKernel(): Promise<void> {
  await run(['unshare', '--net', 'ip', 'link', 'set', 'lo', 'up'], { limit: 300_000 });
}
