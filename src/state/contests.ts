/** What the daemon tells `hnet doctor` of other programs that want the places of our rules. */
import * as v from 'valibot';
import { removeWhole, writeAtomically } from '../host/files.ts';
import { CONTESTS_FILE } from '../model/names.ts';
import { ifPossible } from '../model/refusal.ts';

const schema = v.object({
  /** The resource, and what was found. */
  what: v.string(),
  why: v.string(),
  times: v.number(),
  /** When it was found first, in milliseconds since the epoch. */
  since: v.number(),
  /** The program, where the kernel's events have told it. */
  by: v.exactOptional(v.string()),
});

export type Contest = v.InferOutput<typeof schema>;

export function writeContests(contests: readonly Contest[]): void {
  if (contests.length === 0) removeWhole(CONTESTS_FILE);
  else writeAtomically(CONTESTS_FILE, `${JSON.stringify(contests)}\n`);
}

/** Reads the text of {@link CONTESTS_FILE}; nothing if it isn't one. */
export const parseContests = (text: string): Contest[] =>
  ifPossible(() => v.parse(v.array(schema), JSON.parse(text))) ?? [];
