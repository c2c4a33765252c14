/** Reads the journal, and ends what is too old. */
import { closeSync, fstatSync, openSync, readSync, rmSync } from 'node:fs';
import { namesIn, readIfThere } from '../host/files.ts';
import { type Entry, parseJournal, type Read } from '../model/journal.ts';
import { JOURNAL_DIRECTORY } from '../model/names.ts';
import { journalFile } from './journal.ts';

/** The months that there is something of, in order. */
export const journalMonths = (): string[] =>
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

/** Removes the months before the last so many; the present one counts. @returns those that it removed */
export function endJournal(kept: number, now = new Date()): string[] {
  const first = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - kept + 1, 1));
  const old = journalMonths().filter(month => month < first.toISOString().slice(0, 7));
  for (const month of old) rmSync(journalFile(month), { force: true });
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

/**
 * What was written since a place, and the place to go on from. A line that isn't whole yet is left for the next time, unless a
 * later month has begun.
 */
export function readSince({ month, offset }: Place): { entries: readonly Entry[]; place: Place } {
  const months = journalMonths().filter(one => one >= month);
  const entries: Entry[] = [];
  let place: Place = { month, offset };
  for (const one of months) {
    const begin = one === month ? offset : 0;
    const { text, end } = textFrom(one, begin, one === months.at(-1));
    entries.push(...parseJournal(text).entries);
    place = { month: one, offset: end };
  }
  return { entries, place };
}

/** @param isLast whether somebody may be writing the last line just now */
function textFrom(month: string, offset: number, isLast: boolean): { text: string; end: number } {
  return withJournal(month, { text: '', end: 0 }, (size, file) => {
    // A file that is shorter than it was has been replaced: it is read anew.
    const begin = offset > size ? 0 : offset;
    const bytes = Buffer.alloc(size - begin);
    const length = readSync(file, bytes, 0, bytes.length, begin);
    const whole = isLast ? bytes.lastIndexOf('\n', length - 1) + 1 : length;
    return { text: bytes.toString('utf8', 0, whole), end: begin + whole };
  });
}

function withJournal<T>(month: string, otherwise: T, read: (size: number, file: number) => T): T {
  let file: number;
  try {
    file = openSync(journalFile(month), 'r');
  } catch {
    return otherwise;
  }
  try {
    return read(fstatSync(file).size, file);
  } finally {
    closeSync(file);
  }
}
