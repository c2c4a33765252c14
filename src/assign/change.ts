/** What all commands that write metadata have in common: a change of an assignment, all of it or nothing. */

import { chooseFirewall } from '../host/choose-backend.ts';
import type { Context } from '../host/context.ts';
import { withLock } from '../host/lock.ts';
import { type KnownDomain, type Libvirt, withLibvirt } from '../libvirt/libvirt.ts';
import { changeDevice, type NicChange } from '../libvirt/nic.ts';
import { toAttachment } from '../lifecycle/admission.ts';
import { change, foreseeChange } from '../lifecycle/change.ts';
import { presumed, wiresOf } from '../lifecycle/in-force.ts';
import { stop } from '../lifecycle/stop.ts';
import type { Assignment } from '../model/assignment.ts';
import type { Attachment } from '../model/attachment.ts';
import type { Address, Taps } from '../model/bridge.ts';
import type { Difference } from '../model/difference.ts';
import { type Domain, policyOf, tapsOf } from '../model/domain.ts';
import { renderAssignment } from '../model/metadata.ts';
import { OPEN } from '../model/policy.ts';
import { ifPossible, quote } from '../model/refusal.ts';
import { policySummary } from '../model/rule.ts';
import { readableAttachment } from '../state/attachment-store.ts';
import { attempt } from './attempt.ts';
import { type Decision, imagined, type Outcome, outcomeOf, recordBefore } from './decision.ts';
import { exchanging, type Shared } from './shared.ts';
import { restoreMetadata, writeMetadata } from './write.ts';

/** Runs `work` with libvirt, while nobody else chooses addresses or writes metadata. */
export const changing = <T>({ host }: Context, work: (libvirt: Libvirt) => T): T =>
  withLibvirt(libvirt => withLock('assignments', 'exclusive', host, () => work(libvirt)));

/**
 * Writes an assignment, and changes a running domain's network at once. The kernel comes before the interface, because a
 * running interface can only move to a bridge that exists.
 * @throws Refusal with everything as it was
 */
export function carryOut(libvirt: Libvirt, decision: Decision, context: Context): Outcome {
  const { known, next, live, config } = decision;
  const { domain, active } = known;
  const before = recordBefore(known, next);
  const repaired = attempt(
    () => {
      writeMetadata(libvirt, known, next && renderAssignment(next));
      const done = active ? applyLive(libvirt, live.after ?? domain, tapsOf(domain), next, context) : [];
      for (const change of live.changes) changeDevice(libvirt.connection, domain.uuid, change, 'live');
      for (const change of config.changes) changeDevice(libvirt.connection, domain.uuid, change, 'config');
      return done;
    },
    () => {
      restoreMetadata(libvirt, known);
      if (active) restoreKernel(domain, before, context);
    },
  );
  warnOf(libvirt, decision, context);
  return outcomeOf(known, ifPossible(() => libvirt.known(domain.uuid)) ?? imagined(decision), repaired);
}

/** What {@link carryOut} would do. It changes nothing. @throws Refusal for what that would be refused for */
export function foresee(libvirt: Libvirt, decision: Decision, context: Context): Outcome {
  const { known, next, live } = decision;
  const { domain, active } = known;
  const after = active && next && liveAttachment(live.after ?? domain, next, context);
  const repaired = after ? foreseeChange(after, tapsOf(domain), context.config(), context.host) : [];
  warnOf(libvirt, decision, context);
  return outcomeOf(known, imagined(decision), repaired);
}

/**
 * Makes a change, or only says what it would do.
 * @param shared the cluster in which its claims are; undefined where the host is alone, or no address comes or goes
 * @throws Refusal as {@link carryOut}
 */
export function enact(
  libvirt: Libvirt,
  decision: Decision,
  { dryRun = false }: { readonly dryRun?: boolean },
  context: Context,
  shared?: Shared,
): Outcome {
  if (dryRun) return foresee(libvirt, decision, context);
  const { known, next } = decision;
  return exchanging(
    shared,
    known,
    next?.addresses ?? [],
    context,
    () => carryOut(libvirt, decision, context),
    ({ after }) => [after],
  );
}

/** What the operator may not expect of it. */
function warnOf(libvirt: Libvirt, { known, live, config }: Decision, context: Context): void {
  tellLosses([...live.changes, ...config.changes], known.domain, context);
  warnOfSave(libvirt, known, context);
}

/** What an interface had before that nobody would miss until the next start. */
function tellLosses(changes: readonly NicChange[], { name }: Domain, { warn }: Context): void {
  const losses = changes.flatMap(change =>
    change.kind === 'none' || change.lost.length === 0
      ? []
      : [`the interface ${change.mac} of ${quote(name)} loses ${change.lost.join(', ')}`],
  );
  for (const loss of new Set(losses)) warn(`${loss}: an interface on a bridge of hnet can't have that`);
}

/** @param domain with its interfaces where they will be. @returns what was repaired by the way */
function applyLive(
  libvirt: Libvirt,
  domain: Domain,
  taps: Taps,
  next: Assignment | undefined,
  { config, host }: Context,
): readonly Difference[] {
  const end = () => stop(domain, host, () => presumed(config, host));
  if (next === undefined) {
    end();
    return [];
  }
  const repaired = change(liveAttachment(domain, next, { config, host }), taps, config(), host);
  // It may have ended meanwhile, and its release have come before what was brought up.
  if (!libvirt.connection.isActive(domain.uuid)) end();
  return repaired;
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
