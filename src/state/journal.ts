/**
 * The journal in /var/lib/hnet/journal, a file for each month (in UTC), so that what is too old goes file by file. Whatever
 * happens is one write to the end of a file, which Linux does as a whole: writers need no lock, and the hook waits for nothing.
 */
import { mkdirSync } from 'node:fs';
import { uptime } from 'node:os';
import { append, OWN_DIRECTORY, readShortIfThere } from '../host/files.ts';
import type { Address } from '../model/bridge.ts';
import { type Fact, journalLine, type Moment, type Repair } from '../model/journal.ts';
import { JOURNAL_DIRECTORY } from '../model/names.ts';
import { reason } from '../model/refusal.ts';

/** @param month such as `2026-11` */
export const journalFile = (month: string): string => `${JOURNAL_DIRECTORY}/${month}.jsonl`;

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
export const bootId = (): string => readShortIfThere(BOOT_ID)?.trim() ?? '';

/** This moment, as every line begins. */
export function thisMoment(now = Date.now()): Moment {
  const booted = new Date(now - uptime() * 1000).toISOString();
  return { at: new Date(now).toISOString(), boot: bootId(), booted };
}

/**
 * Appends what has happened. It isn't synced: after a power failure the last seconds may be missing.
 * @returns why it couldn't; nothing that happens to an address waits for the journal, or fails with it
 */
export function note(facts: readonly (Fact | Repair)[]): string | undefined {
  if (facts.length === 0) return undefined;
  const moment = thisMoment();
  const file = journalFile(moment.at.slice(0, 7));
  const text = facts.map(one => `${journalLine(one, moment)}\n`).join('');
  try {
    mkdirSync(JOURNAL_DIRECTORY, { recursive: true, mode: OWN_DIRECTORY });
    append(file, text);
    return undefined;
  } catch (error) {
    return `Cannot write ${file}: ${reason(error)}; hnet history won't show what has just happened`;
  }
}

/** What happens to all addresses of a domain at once. */
export const factsOf = (
  is: Exclude<Fact['is'], 'assign' | 'unassign' | 'move'>,
  { name, uuid, addresses }: { name: string; uuid: string; addresses: readonly Pick<Address, 'prefix'>[] },
): Fact[] => addresses.map(({ prefix }) => ({ is, address: prefix, domain: name, uuid }));
