/** Reads the journal, and ends what is too old. */
import { fstatSync, readSync } from 'node:fs';
import { namesIn, readIfThere, removeWhole, withFile } from '../host/files.ts';
import { type Entry, parseJournal, type Read } from '../model/journal.ts';
import { JOURNAL_DIRECTORY } from '../model/names.ts';
import { ifPossible } from '../model/refusal.ts';
import { journalFile } from './journal.ts';

/** The months that there is something of, in order. */
const journalMonths = (): string[] =>
  namesIn(JOURNAL_DIRECTORY)
    .flatMap(name => /^(\d{4}-\d\d)\.jsonl$/.exec(name)?.[1] ?? [])
    .sort();

/** All that the journal says, in the order in which it was written. @param from the first month that matters */
export function readJournal(from = ''): Read {
  const reads = journalMonths()
    .filter(month => month >= from)
    .map(month => parseJournal(readIfThere(journalFile(month)) ?? ''));
  return {
    entries: reads.flatMap(({ entries }) => entries),
    skipped: reads.reduce((sum, { skipped }) => sum + skipped, 0),
  };
}

/** The first of the last so many months; the present one counts. */
export const firstMonth = (kept: number, now: Date): string =>
  new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - kept + 1, 1)).toISOString().slice(0, 7);

/** Removes the months before one. @returns those that it removed */
export function endJournal(first: string): string[] {
  const old = journalMonths().filter(month => month < first);
  for (const month of old) removeWhole(journalFile(month));
  return old;
}

/** How far a reader has come: bytes of a month's file. */
export interface Place {
  readonly month: string;
  readonly offset: number;
}

/** The end of the journal. */
export function journalEnd(): Place {
  const month = journalMonths().at(-1) ?? '';
  return { month, offset: sizeOf(month) };
}

const sizeOf = (month: string): number => (month === '' ? 0 : withJournal(month, 0, size => size));

/** An entry, and the place after it. */
interface Line {
  readonly entry: Entry;
  readonly place: Place;
}

/**
 * What was written since a place, and the end of it. A line that isn't whole yet is left for the next time, unless a later month
 * has begun.
 */
export function readSince({ month, offset }: Place): { lines: Line[]; end: Place } {
  const months = journalMonths().filter(one => one >= month);
  const lines = months.flatMap(one => linesFrom({ month: one, offset: one === month ? offset : 0 }));
  return { lines, end: lines.at(-1)?.place ?? { month, offset } };
}

function linesFrom({ month, offset }: Place): Line[] {
  const { bytes, begin } = bytesFrom(month, offset);
  const lines: Line[] = [];
  for (let from = 0, to = bytes.indexOf('\n'); to !== -1; from = to + 1, to = bytes.indexOf('\n', from)) {
    const place = { month, offset: begin + to + 1 };
    lines.push(...parseJournal(bytes.toString('utf8', from, to)).entries.map(entry => ({ entry, place })));
  }
  return lines;
}

/** What a file holds from an offset on. One that is shorter than it was has been replaced: it is read anew. */
function bytesFrom(month: string, offset: number): { bytes: Buffer; begin: number } {
  return withJournal(month, { bytes: Buffer.alloc(0), begin: 0 }, (size, file) => {
    const begin = offset > size ? 0 : offset;
    const bytes = Buffer.alloc(size - begin);
    const length = readSync(file, bytes, 0, bytes.length, begin);
    return { bytes: bytes.subarray(0, length), begin };
  });
}

const withJournal = <T>(month: string, otherwise: T, read: (size: number, file: number) => T): T =>
  ifPossible(() => withFile(journalFile(month), file => read(fstatSync(file).size, file))) ?? otherwise;
