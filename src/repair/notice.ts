/**
 * Notes in the journal what nobody has noted: domains that ran before it began, or before the month that has just begun, and
 * those that ended without their hook. So each month's file tells by itself who has what.
 */
import type { Host } from '../host/host.ts';
import { withLock } from '../host/lock.ts';
import { format } from '../model/address.ts';
import { type Fact, isFact } from '../model/journal.ts';
import { isHere } from '../model/move.ts';
import { standing } from '../model/tenure.ts';
import { factsOf, note, thisMoment } from '../state/journal.ts';
import { readJournal } from '../state/journal-files.ts';
import { readAttachments } from '../state/records.ts';

/** How long whoever changes something may take to note it, in milliseconds: the script of a stop does it at its very end. */
export const NOTED_WITHIN = 2_000;

/** Finds what two looks in a row find, with {@link NOTED_WITHIN} between them. */
export class Unnoted {
  #before: ReadonlySet<string> = new Set();

  /**
   * Notes what was unnoted at the look before too.
   * @param warn told why it couldn't be noted
   * @returns whether another look is due
   */
  look(host: Host, warn: (line: string) => void): boolean {
    const missing = unnoted(host);
    const failure = note(missing.filter(one => this.#before.has(keyOf(one))));
    if (failure !== undefined) warn(failure);
    const open = missing.map(keyOf).filter(key => !this.#before.has(key));
    this.#before = new Set(open);
    return open.length > 0;
  }
}

const keyOf = ({ is, address, uuid }: Fact): string => `${is} ${format(address)} ${uuid}`;

/** Holds what runs and what this month's journal says against each other, while nothing starts or stops. */
const unnoted = (host: Host): Fact[] =>
  withLock('sync', 'exclusive', host, () => {
    const moment = thisMoment();
    const facts = readJournal(moment.at.slice(0, 7)).entries.filter(isFact);
    const said = standing(facts, moment).map(
      ({ address, uuid, domain }): Fact => ({ is: 'gone', address, uuid, domain }),
    );
    const so = readAttachments()
      .filter(({ state }) => isHere(state))
      .flatMap(({ domain: uuid, name, addresses }) => factsOf('runs', { uuid, name, addresses }));
    return [...without(so, said), ...without(said, so)];
  });

function without(these: readonly Fact[], those: readonly Fact[]): Fact[] {
  const known = new Set(those.map(partOf));
  return these.filter(one => !known.has(partOf(one)));
}

const partOf = ({ address, uuid }: Fact): string => `${format(address)} ${uuid}`;
