import { Refusal } from '../../src/model/refusal.ts';

/** The refusal that a call must end in; anything else that it throws is a bug, and fails the test as itself. */
export function refusalOf(call: () => unknown): Refusal {
  try {
    call();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
