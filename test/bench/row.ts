import { Lab } from '../lab/lab.ts';
import type { Figure } from './figure.ts';

/** A row of the benchmark: one file in rows/, listed in rows.ts. */
export interface Row {
  /** For --only. */
  readonly name: string;
  /** The heading over its figures. */
  readonly title: string;
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
  const lab = await Lab.create();
  try {
    return await measure(lab);
  } finally {
    lab.remove();
  }
}
