/** Since when somebody has an address, by the journal. */
import type { HistoryEntry } from './answers.ts';

/** Events by which an address becomes somebody's. */
const COMING: readonly string[] = ['assign', 'move'];

/** The last time that it was given to a domain; undefined if that was before the journal begins. */
export const sinceOf = (entries: readonly HistoryEntry[], uuid: string): string | undefined =>
  entries.findLast(one => one.uuid === uuid && COMING.includes(one.is))?.at;
