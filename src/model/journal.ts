/**
 * The journal: what has happened to each address, a line of JSON for each. Lines are only ever appended, so that a writer that is
 * killed, or a disk that is full, costs at most the line that was being written.
 */
import * as v from 'valibot';
import { format, parsePrefix } from './address.ts';
import type { Prefix } from './prefix.ts';

/**
 * What happens to an address. `assign`, `unassign` and `move` are what an operator has changed; `start` and `stop` are the
 * domain's. `runs` and `gone` say what was noticed later: a start or a stop that nobody had noted. Between hosts a domain
 * `leaves` one and `arrives` at another; where that fails, it `stays`.
 */
const HAPPENINGS = [
  'assign',
  'unassign',
  'move',
  'start',
  'stop',
  'runs',
  'gone',
  'leaves',
  'arrives',
  'stays',
] as const;
export type Happening = (typeof HAPPENINGS)[number];

/** A domain as it was then: it may have another name by now, or be gone. */
export interface Party {
  readonly domain: string;
  readonly uuid: string;
  /** Whether it was running, so that the change was in force at once. */
  readonly running?: boolean | undefined;
}

/** Something that happened to an address. */
export interface Fact extends Party {
  readonly is: Happening;
  readonly address: Prefix;
  /** Of a move: who had the address before. */
  readonly from?: Party | undefined;
}

/** What the daemon has repaired, in the words of its log. */
export interface Repair {
  readonly is: 'repaired';
  readonly what: string;
  /** The domain that it belongs to; null: the whole host. */
  readonly domain: string | null;
}

/** When, and in which run of the host: whatever is set up ends with that. */
export interface Moment {
  /** ISO 8601, in UTC. */
  readonly at: string;
  /** The kernel's boot ID. */
  readonly boot: string;
  /** When the host was booted, where the writer could tell. */
  readonly booted?: string | undefined;
}

export type Entry = Moment & (Fact | Repair);
export type FactEntry = Moment & Fact;

export const isFact = (entry: Entry): entry is FactEntry => entry.is !== 'repaired';

/** Of every line that hnet writes; a line of another version is left alone. */
const JOURNAL_VERSION = 1;
/** How every line begins; in JSON no text can hold it, because it would be escaped. */
const HEAD = '{"version":';

const party = { domain: v.string(), uuid: v.string(), running: v.exactOptional(v.boolean()) };
const moment = {
  version: v.literal(JOURNAL_VERSION),
  at: v.pipe(v.string(), v.isoTimestamp()),
  boot: v.string(),
  booted: v.exactOptional(v.string()),
};
const schema = v.variant('is', [
  v.object({
    ...moment,
    is: v.picklist(HAPPENINGS),
    address: v.pipe(v.string(), v.transform(parsePrefix)),
    ...party,
    from: v.exactOptional(v.object(party)),
  }),
  v.object({ ...moment, is: v.literal('repaired'), what: v.string(), domain: v.nullable(v.string()) }),
]);

/** A line of the journal, without its newline. */
export const journalLine = (one: Fact | Repair, moment: Moment): string => JSON.stringify(plain(one, moment));

function plain(one: Fact | Repair, { at, boot, booted }: Moment) {
  const head = { version: JOURNAL_VERSION, at, boot, ...(booted !== undefined && { booted }) };
  if (one.is === 'repaired') return { ...head, ...one };
  const { is, address, domain, uuid, running, from } = one;
  return {
    ...head,
    is,
    address: format(address),
    domain,
    uuid,
    ...(running !== undefined && { running }),
    ...(from && { from }),
  };
}

/** A line in two parts, between which a shell writes the time. */
export function lineAround(one: Fact, boot: string): readonly [before: string, after: string] {
  const line = journalLine(one, { at: '', boot });
  const place = line.indexOf('"at":"') + '"at":"'.length;
  return [line.slice(0, place), line.slice(place)];
}

/** What a file of the journal says, and how much of it can't be read. */
export interface Read {
  readonly entries: readonly Entry[];
  /** Lines cut off by a crash or a full disk, or of another version. */
  readonly skipped: number;
}

/** Reads the text of the journal. A line that follows one that was cut off is whole all the same. */
export function parseJournal(text: string): Read {
  const lines = text.split(LINES).filter(line => line.trim() !== '');
  const entries = lines.flatMap(line => parseLine(line) ?? []);
  return { entries, skipped: lines.length - entries.length };
}

const LINES = new RegExp(`\\n|(?=${HEAD.replace('{', '\\{')})`);

function parseLine(line: string): Entry | undefined {
  try {
    const { version: _, ...entry } = v.parse(schema, JSON.parse(line));
    return entry;
  } catch {
    return undefined;
  }
}

/** A domain runs here from then on, or not any more. */
const BEGINS: readonly Happening[] = ['start', 'runs', 'arrives', 'stays'];
const ENDS: readonly Happening[] = ['stop', 'gone', 'leaves'];

/** Who has an address up from an entry on, and who has not any more. */
export function effectOf({ is, domain, uuid, running, from }: Fact): { up?: Party; down?: Party } {
  const self = { domain, uuid };
  if (BEGINS.includes(is)) return { up: self };
  if (ENDS.includes(is)) return { down: self };
  if (is === 'assign') return running === true ? { up: self } : {};
  if (is === 'unassign') return running === true ? { down: self } : {};
  return { ...(running === true && { up: self }), ...(from?.running === true && { down: from }) };
}

/** Who is meant to have an address from an entry on, running or not, and who is not any more. */
export function intentOf({ is, domain, uuid, from }: Fact): { up?: Party; down?: Party } {
  const self = { domain, uuid };
  if (is === 'assign' || BEGINS.includes(is)) return { up: self };
  // Of a domain that leaves the definition goes too.
  if (is === 'unassign' || is === 'leaves') return { down: self };
  return is === 'move' ? { up: self, ...(from && { down: from }) } : {};
}
