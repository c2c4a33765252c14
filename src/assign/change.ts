/** What all commands that write metadata have in common: a change of an assignment, all of it or nothing. */

import { chooseFirewall } from '../host/choose-backend.ts';
import type { Context } from '../host/context.ts';
import { withLock } from '../host/lock.ts';
import type { Affects } from '../libvirt/connection.ts';
import { type KnownDomain, type Libvirt, withLibvirt } from '../libvirt/libvirt.ts';
import { changeDevice, changeNic, type NicChange, plugged } from '../libvirt/nic.ts';
import { toAttachment } from '../lifecycle/admission.ts';
import { change } from '../lifecycle/change.ts';
import { presumed, wiresOf } from '../lifecycle/in-force.ts';
import { stop } from '../lifecycle/stop.ts';
import type { Assignment } from '../model/assignment.ts';
import type { Attachment } from '../model/attachment.ts';
import type { Address, Taps } from '../model/bridge.ts';
import { addressesOf, type Domain, policyOf, tapsOf } from '../model/domain.ts';
import { renderAssignment } from '../model/metadata.ts';
import { OPEN } from '../model/policy.ts';
import { quote, Refusal } from '../model/refusal.ts';
import { policySummary } from '../model/rule.ts';
import { readableAttachment } from '../state/attachment-store.ts';

/** Which interface shall be on which bridge; without a MAC, the only one. */
export interface Plug {
  readonly bridge: string;
  readonly mac: string | undefined;
}

/** Runs `work` with libvirt, while nobody else chooses addresses or writes metadata. */
export const changing = ({ host }: Context, work: (libvirt: Libvirt) => void): void =>
  withLibvirt(libvirt => withLock('assignments', 'exclusive', host, () => work(libvirt)));

/**
 * Writes an assignment (undefined: none), and changes a running domain's network at once. The kernel comes before the
 * interface, because a running interface can only move to a bridge that exists.
 * @throws Refusal with everything as it was
 */
export function changeAssignment(
  libvirt: Libvirt,
  known: KnownDomain,
  next: Assignment | undefined,
  plugs: readonly Plug[],
  context: Context,
): void {
  const { domain, persistent, active } = known;
  // Decided before anything is written, so that a choice the user must make leaves all as it was.
  const live = active ? replug(domain, persistent, plugs) : STAYS;
  const config = persistent === undefined ? STAYS : replug(persistent, active ? domain : undefined, plugs);
  // What loses all of its addresses needs none: this is the way out where nothing can rebuild it.
  const before = next === undefined ? readableAttachment(domain.uuid) : recordOf(known);
  attempt(
    () => {
      writeMetadata(libvirt, known, next && renderAssignment(next));
      if (active) applyLive(libvirt, live.after ?? domain, tapsOf(domain), next, context);
      for (const change of live.changes) changeDevice(libvirt.connection, domain.uuid, change, 'live');
      for (const change of config.changes) changeDevice(libvirt.connection, domain.uuid, change, 'config');
    },
    () => {
      restoreMetadata(libvirt, known);
      if (active) restoreKernel(domain, before, context);
    },
  );
  tellLosses([...live.changes, ...config.changes], domain, context);
  warnOfSave(libvirt, known, context);
}

/** What an interface had before that nobody would miss until the next start. */
function tellLosses(changes: readonly NicChange[], { name }: Domain, { warn }: Context): void {
  const losses = changes.flatMap(change =>
    change.kind === 'none' || change.lost.length === 0
      ? []
      : [`the interface ${change.mac} of ${quote(name)} has lost ${change.lost.join(', ')}`],
  );
  for (const loss of new Set(losses)) warn(`${loss}: an interface on a bridge of hnet can't have that`);
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

/** Runs `work`; where it fails, `undo` too, and the first failure is the one that is told. */
export function attempt(work: () => void, undo: () => void): void {
  try {
    work();
  } catch (error) {
    try {
      undo();
    } catch (second) {
      if (!(second instanceof Refusal)) throw second;
    }
    throw error;
  }
}

/** @param domain with its interfaces where they will be */
function applyLive(
  libvirt: Libvirt,
  domain: Domain,
  taps: Taps,
  next: Assignment | undefined,
  { config, host }: Context,
): void {
  const end = () => stop(domain, host, () => presumed(config, host));
  if (next === undefined) end();
  else change(liveAttachment(domain, next, { config, host }), taps, config(), host);
  // It may have ended meanwhile, and its release have come before what was brought up.
  if (next !== undefined && !libvirt.connection.isActive(domain.uuid)) end();
}

/** What a running domain shall have, in the filter that it was started with. */
export function liveAttachment(
  domain: Domain,
  next: Assignment,
  { config, host }: Pick<Context, 'config' | 'host'>,
): Attachment {
  const backend = readableAttachment(domain.uuid)?.backend ?? chooseFirewall(config()).name;
  return toAttachment(domain, next, backend, wiresOf(config(), host));
}

/** Writes where the domain's state asks for it, and reads back: some versions of libvirt drop what they can't place. */
export function writeMetadata(
  libvirt: Libvirt,
  { domain, persistent, active }: KnownDomain,
  element: string | undefined,
): void {
  const affects: Affects = active ? (persistent ? 'both' : 'live') : 'config';
  libvirt.connection.setMetadata(domain.uuid, element, affects);
  const after = libvirt.known(domain.uuid);
  const kinds = [after.domain.intent.kind, after.persistent?.intent.kind ?? after.domain.intent.kind];
  if (kinds.some(kind => kind !== (element === undefined ? 'none' : 'assigned'))) {
    throw new Refusal(
      `Cannot write the metadata of ${quote(domain.name)}: libvirt took it, but doesn't return it`,
    );
  }
}

/** Puts back what each of the domain's descriptions said. What couldn't be read can't be written either. */
export function restoreMetadata(libvirt: Libvirt, { domain, persistent, active }: KnownDomain): void {
  const parts: [Domain, Affects][] = [
    ...(active ? [[domain, 'live'] as [Domain, Affects]] : []),
    ...(persistent === undefined ? [] : [[persistent, 'config'] as [Domain, Affects]]),
  ];
  for (const [{ uuid, intent }, affects] of parts) {
    if (intent.kind === 'none') libvirt.connection.setMetadata(uuid, undefined, affects);
    else if (intent.kind === 'assigned')
      libvirt.connection.setMetadata(uuid, renderAssignment(intent.assignment), affects);
  }
}

function restoreKernel(domain: Domain, before: Attachment | undefined, { config, host }: Context): void {
  if (before === undefined) stop(domain, host, () => presumed(config, host));
  else change(before, tapsOf(domain), config(), host);
}

/** Rules are stored with the addresses and are lost with the last one: a domain that gets an address again is open. */
export function warnOfRules({ domain, next }: KnownDomain, rest: readonly Address[], context: Context): void {
  const rules = policySummary(policyOf(next));
  if (rest.length === 0 && rules !== policySummary(OPEN))
    context.warn(`${quote(domain.name)} has no address left, and with it its rules are gone (${rules})`);
}

/** A managed save keeps the metadata of its day, and starts with it. */
export function warnOfSave(libvirt: Libvirt, { domain, persistent }: KnownDomain, context: Context): void {
  if (persistent !== undefined && libvirt.connection.hasManagedSave(domain.uuid))
    context.warn(
      `${quote(domain.name)} has a managed save, which holds the old assignment and starts with it; ` +
        'virsh managedsave-remove discards the save',
    );
}
