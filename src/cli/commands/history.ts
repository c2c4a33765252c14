import type { Context } from '../../host/context.ts';
import { format, parsePrefix } from '../../model/address.ts';
import { type Entry, type FactEntry, isFact } from '../../model/journal.ts';
import { overlaps, type Prefix } from '../../model/prefix.ts';
import { asUsage, ifPossible, visible } from '../../model/refusal.ts';
import { held, type Tenure, tenuresOf } from '../../model/tenure.ts';
import { parseTime, shownTime } from '../../model/time.ts';
import { thisMoment } from '../../state/journal.ts';
import { readJournal } from '../../state/journal-files.ts';
import { table } from '../table.ts';
import { factShown, repairShown } from '../views/entry.ts';

/** Shows what has happened to addresses, or to those of one domain; or with a time, who had which then. */
export function history(about: string | undefined, options: { at?: string }, context: Context): void {
  const { at: text } = options;
  const at = text === undefined ? undefined : asUsage(() => parseTime(text), 'use --at');
  const subject = subjectOf(about);
  const { entries, skipped } = readJournal();
  if (skipped > 0)
    context.warn(`${skipped} lines of the journal can't be read: cut off, or of another version of hnet`);
  const since = entries[0]?.at ?? null;
  if (at === undefined) show(entries, subject, since, context);
  else showHolders(entries, subject, at, since, context);
}

/** An address, or a domain by its name or UUID: one that libvirt doesn't know any more too. */
type Subject = (one: {
  readonly address?: Prefix;
  readonly domain: string | null;
  readonly uuid?: string;
}) => boolean;

function subjectOf(about: string | undefined): Subject {
  if (about === undefined) return () => true;
  const prefix = ifPossible(() => parsePrefix(about));
  return prefix === undefined
    ? ({ domain, uuid }) => domain === about || uuid === about
    : ({ address }) => address !== undefined && overlaps(address, prefix);
}

const concerns = (subject: Subject, entry: FactEntry): boolean =>
  subject(entry) || (entry.from !== undefined && subject({ ...entry.from, address: entry.address }));

function show(entries: readonly Entry[], subject: Subject, since: string | null, context: Context): void {
  const shown = entries.filter(entry => (isFact(entry) ? concerns(subject, entry) : subject(entry)));
  context.answer({
    since,
    entries: shown.filter(isFact).map(factShown),
    repairs: shown.flatMap(entry => (isFact(entry) ? [] : [repairShown(entry)])),
  });
  if (shown.length === 0) context.print(nothing(since));
  else
    for (const line of table(['TIME', 'WHAT', 'ADDRESS', 'DOMAIN'], rows(shown), context.colour))
      context.print(line);
}

const nothing = (since: string | null): string =>
  since === null
    ? 'Nothing has happened yet'
    : `Nothing has happened to it since ${shownTime(since)}, when the journal begins`;

/** With a line where the host was booted anew: whatever was up ended with that. */
function rows(entries: readonly Entry[]): string[][] {
  return entries.flatMap((entry, place) => {
    const before = entries[place - 1];
    const isAnew = before !== undefined && before.boot !== entry.boot;
    return [
      ...(isAnew ? [[shownTime(entry.booted ?? entry.at), 'boot', '-', '(the host)']] : []),
      rowOf(entry),
    ];
  });
}

function rowOf(entry: Entry): string[] {
  const time = shownTime(entry.at);
  if (!isFact(entry)) return [time, 'repaired', '-', entry.what];
  const { is, address, domain, from } = entry;
  return [time, is, format(address), from === undefined ? domain : `${domain} (from ${from.domain})`];
}

function showHolders(
  entries: readonly Entry[],
  subject: Subject,
  at: string,
  since: string | null,
  context: Context,
): void {
  const tenures = tenuresOf(entries.filter(isFact), thisMoment()).filter(
    one => held(one, at) && subject(one),
  );
  const isUp = (one: Tenure): boolean =>
    tenures.some(
      ({ kind, address, uuid }) =>
        kind === 'up' && uuid === one.uuid && format(address) === format(one.address),
    );
  // Of one that had it up it is nothing new that it was assigned to it too.
  const holders = tenures.filter(one => one.kind === 'up' || !isUp(one));
  context.answer({ at, since, holders: holders.map(holderOf) });
  if (holders.length === 0) context.print(nobody(at, since));
  for (const one of holders) context.print(sentenceOf(one));
}

const nobody = (at: string, since: string | null): string =>
  since === null || at < since
    ? `Nobody knows: the journal begins ${since === null ? 'with what happens next' : shownTime(since)}`
    : `No domain had it at ${shownTime(at)}`;

const holderOf = ({ address, domain, uuid, kind, since, until, last }: Tenure): object => ({
  address: format(address),
  domain,
  uuid,
  kind,
  from: since,
  until: until ?? null,
  last: last ?? null,
});

function sentenceOf({ address, domain, uuid, kind, since, until, last }: Tenure): string {
  const what = kind === 'up' ? 'up' : 'assigned, but not up';
  const end =
    until === undefined
      ? 'until now'
      : `until ${last === undefined ? '' : 'the host went down, between '}${last === undefined ? '' : `${shownTime(last)} and `}${shownTime(until)}`;
  return `${format(address)}: ${visible(domain)} (${uuid}), ${what} from ${shownTime(since)} ${end}`;
}
