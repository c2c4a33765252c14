/** A line of the journal. */
import { format } from '../../model/address.ts';
import { type Entry, type FactEntry, isFact, type Moment, type Repair } from '../../model/journal.ts';

export const factShown = ({ at, is, address, domain, uuid, running, from, boot }: FactEntry): object => ({
  at,
  is,
  address: format(address),
  domain,
  uuid,
  running: running ?? null,
  from: from === undefined ? null : { domain: from.domain, uuid: from.uuid, running: from.running ?? false },
  boot,
});

export const repairShown = ({ at, what, domain }: Moment & Repair): object => ({ at, what, domain });

/** Of either kind, which `is` tells. */
export const entryShown = (entry: Entry): object =>
  isFact(entry) ? factShown(entry) : { ...repairShown(entry), is: entry.is };
