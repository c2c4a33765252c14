import { Refusal } from '../model/refusal.ts';

/** Runs `work`; where it fails, `undo` too, and the first failure is the one that is told. */
export function attempt<T>(work: () => T, undo: () => void): T {
  try {
    return work();
  } catch (error) {
    try {
      undo();
    } catch (second) {
      if (!(second instanceof Refusal)) throw second;
    }
    throw error;
  }
}
