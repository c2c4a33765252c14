/** What the operator's programs in /etc/hnet/events.d are told, by the journal. */
import { format } from './address.ts';
import { type Entry, effectOf, type Fact, isFact, type Party } from './journal.ts';

/** `up` and `down`: an address begins, or ceases, to be set up for a domain that runs; whatever the cause. */
type EventName = 'assign' | 'unassign' | 'move' | 'up' | 'down' | 'repaired';

/** One call of each program. */
export interface Event {
  readonly version: 1;
  readonly event: EventName;
  /** When it happened: ISO 8601, in UTC. */
  readonly at: string;
  readonly address?: string;
  readonly domain?: string;
  readonly uuid?: string;
  /** Of a move: the domain that had the address before. */
  readonly from?: Pick<Party, 'domain' | 'uuid'>;
  /** What was repaired. */
  readonly what?: string;
}

/** The events of a line of the journal, in their order. */
export function eventsOf(entry: Entry): Event[] {
  const head = { version: 1, at: entry.at } as const;
  if (!isFact(entry)) {
    const { what, domain } = entry;
    return [{ ...head, event: 'repaired', what, ...(domain !== null && { domain }) }];
  }
  const address = format(entry.address);
  const about = (event: EventName, { domain, uuid }: Party): Event => ({
    ...head,
    event,
    address,
    domain,
    uuid,
  });
  const { up, down } = effectOf(entry);
  const changes = isChange(entry) ? [{ ...about(entry.is, entry), ...fromOf(entry) }] : [];
  return [...changes, ...(down ? [about('down', down)] : []), ...(up ? [about('up', up)] : [])];
}

const isChange = (fact: Fact): fact is Fact & { is: 'assign' | 'unassign' | 'move' } =>
  fact.is === 'assign' || fact.is === 'unassign' || fact.is === 'move';

const fromOf = ({ from }: Fact): Pick<Event, 'from'> =>
  from === undefined ? {} : { from: { domain: from.domain, uuid: from.uuid } };

/** The same as environment variables, for a shell. */
export function environmentOf({
  event,
  at,
  address,
  domain,
  uuid,
  from,
  what,
}: Event): Record<string, string> {
  const all = {
    HNET_EVENT: event,
    HNET_AT: at,
    HNET_ADDRESS: address,
    HNET_DOMAIN: domain,
    HNET_UUID: uuid,
    HNET_FROM_DOMAIN: from?.domain,
    HNET_FROM_UUID: from?.uuid,
    HNET_WHAT: what,
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}

/** An event in a few words, for the log: `up of 123.45.90.116 at "vm1"`. */
export const eventTitle = ({ event, address, domain, what }: Event): string =>
  [
    event,
    ...(address === undefined ? [] : [`of ${address}`]),
    ...(domain === undefined ? [] : [`at ${JSON.stringify(domain)}`]),
    ...(what === undefined ? [] : [`(${what})`]),
  ].join(' ');
