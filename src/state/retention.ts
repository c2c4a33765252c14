/** Ends what the configuration doesn't keep any longer. */
import { endJournal, firstMonth } from './journal-files.ts';
import { endMonths } from './ledger.ts';

/** Removes the journal and the traffic of all but the last so many months; the present one counts. */
export function forgetOld(months: number, now = new Date()): void {
  const first = firstMonth(months, now);
  // Both end with the same month: where there is no old journal, no file of an address need be read.
  if (endJournal(first).length > 0) endMonths(first);
}
