/** Who had an address from when until when, by the journal. */
import { format } from './address.ts';
import { effectOf, type Fact, type FactEntry, intentOf, type Moment, type Party } from './journal.ts';
import type { Prefix } from './prefix.ts';

/** How a domain had an address: it was set up for the domain while that ran, or only assigned to it. */
type Kind = 'up' | 'assigned';

export interface Tenure extends Pick<Party, 'domain' | 'uuid'> {
  readonly kind: Kind;
  readonly address: Prefix;
  readonly since: string;
  /** Undefined as long as it goes on. */
  readonly until?: string;
  /** Where the host went down meanwhile: the last sign of it. The end lies between that and `until`. */
  readonly last?: string;
}

const EFFECT: Readonly<Record<Kind, (fact: Fact) => { up?: Party; down?: Party }>> = {
  up: effectOf,
  assigned: intentOf,
};

/**
 * Follows the journal from its beginning.
 * @param now what runs now: a host that was booted anew since the last entry has nothing up of what it says
 */
export function tenuresOf(entries: readonly FactEntry[], now: Moment): Tenure[] {
  return [...follow('up', entries, now), ...follow('assigned', entries, now)];
}

/** The tenures of one kind that go on. */
export const standing = (entries: readonly FactEntry[], now: Moment): Tenure[] =>
  follow('up', entries, now).filter(({ until }) => until === undefined);

function follow(kind: Kind, entries: readonly FactEntry[], now: Moment): Tenure[] {
  const open = new Map<string, Tenure>();
  const ended: Tenure[] = [];
  let before: Moment | undefined;
  const end = (key: string, how: Pick<Tenure, 'until' | 'last'>): void => {
    const one = open.get(key);
    if (one !== undefined) ended.push({ ...one, ...how });
    open.delete(key);
  };
  const meet = (moment: Moment): void => {
    if (kind === 'up' && before !== undefined && before.boot !== moment.boot)
      for (const key of [...open.keys()]) end(key, { until: downAt(before, moment), last: before.at });
    before = moment;
  };
  for (const entry of entries) {
    meet(entry);
    const { up, down } = EFFECT[kind](entry);
    const { address, at } = entry;
    if (down !== undefined) end(keyOf(address, down), { until: at });
    if (up === undefined || open.has(keyOf(address, up))) continue;
    open.set(keyOf(address, up), { kind, address, domain: up.domain, uuid: up.uuid, since: at });
  }
  meet(now);
  return [...ended, ...open.values()];
}

const keyOf = (address: Prefix, { uuid }: Party): string => `${format(address)} ${uuid}`;

/** A host that was booted anew was down at the latest then. A container has the uptime of its host, which says nothing. */
const downAt = (before: Moment, { at, booted }: Moment): string =>
  booted !== undefined && booted > before.at ? booted : at;

/** Whether a domain had an address at a moment, in ISO 8601 and UTC. */
export const held = ({ since, until }: Tenure, at: string): boolean =>
  since <= at && (until === undefined || at < until);
