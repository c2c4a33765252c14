/** What a change of a domain's assignment comes to, before and after it is made. */
import type { KnownDomain } from '../libvirt/libvirt.ts';
import { changeNic, type NicChange, plugged } from '../libvirt/nic.ts';
import type { Assignment, Intent } from '../model/assignment.ts';
import type { Attachment } from '../model/attachment.ts';
import type { Difference } from '../model/difference.ts';
import { addressesOf, type Domain } from '../model/domain.ts';
import { quote, Refusal } from '../model/refusal.ts';
import { readableAttachment } from '../state/attachment-store.ts';
import { differences } from './state.ts';

/** Which interface shall be on which bridge; without a MAC, the only one. */
export interface Plug {
  readonly bridge: string;
  readonly mac: string | undefined;
}

/** A change of one domain, decided and not made yet. */
export interface Decision {
  readonly known: KnownDomain;
  /** Undefined: none. */
  readonly next: Assignment | undefined;
  readonly live: Replugged;
  readonly config: Replugged;
}

/** What a change has done, or would do. */
export interface Outcome {
  readonly before: KnownDomain;
  readonly after: KnownDomain;
  readonly changes: readonly Difference[];
}

/**
 * Decides before anything is written, so that a choice the user must make leaves all as it was.
 * @param next undefined: none
 * @throws Refusal if it isn't clear which interface is meant, or the record of what is set up is lost
 */
export function decide(
  known: KnownDomain,
  next: Assignment | undefined,
  plugs: readonly Plug[] = [],
): Decision {
  const { domain, persistent, active } = known;
  const live = active ? replug(domain, persistent, plugs) : STAYS;
  const config = persistent === undefined ? STAYS : replug(persistent, active ? domain : undefined, plugs);
  recordBefore(known, next);
  return { known, next, live, config };
}

/** What loses all of its addresses needs no record: this is the way out where nothing can rebuild it. */
export const recordBefore = (known: KnownDomain, next: Assignment | undefined): Attachment | undefined =>
  next === undefined ? readableAttachment(known.domain.uuid) : recordOf(known);

/** @param repaired by the way */
export const outcomeOf = (
  before: KnownDomain,
  after: KnownDomain,
  repaired: readonly Difference[],
): Outcome => ({ before, after, changes: [...differences(before, after), ...repaired] });

/** The domain as it will be. */
export function imagined({ known, next, live, config }: Decision): KnownDomain {
  const intent: Intent = next === undefined ? { kind: 'none' } : { kind: 'assigned', assignment: next };
  const persistent = known.persistent && { ...(config.after ?? known.persistent), intent };
  const running = { ...(live.after ?? known.domain), intent };
  return { ...known, domain: known.active ? running : (persistent ?? running), persistent };
}

/** How one description of a domain changes, and the domain as it describes it then. */
interface Replugged {
  readonly changes: readonly NicChange[];
  readonly after: Domain | undefined;
}
const STAYS: Replugged = { changes: [], after: undefined };

function replug(domain: Domain, other: Domain | undefined, plugs: readonly Plug[]): Replugged {
  const changes: NicChange[] = [];
  let after = domain;
  for (const { bridge, mac } of plugs) {
    const change = changeNic(after, bridge, mac, other);
    changes.push(change);
    after = plugged(after, change, bridge);
  }
  return { changes, after };
}

/**
 * What is set up for a domain; undefined if it doesn't run, or runs without addresses.
 * @throws Refusal if that is lost: a failure couldn't be undone, so the repair comes first
 */
export function recordOf({ domain, active }: KnownDomain): Attachment | undefined {
  const record = active ? readableAttachment(domain.uuid) : undefined;
  if (record === undefined && active && addressesOf(domain).length > 0)
    throw new Refusal(
      `Cannot change ${quote(domain.name)}: it runs, and the record of what is set up for it is lost; run hnet sync, which rebuilds it`,
    );
  return record;
}
