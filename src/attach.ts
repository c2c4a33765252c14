/** From a domain's assignment to what stands in the kernel, and back. */
import { nth } from './address.ts';
import { assignmentOf, refuseForeignAddresses, refuseTakenScopes } from './admission.ts';
import {
  type Attachment,
  claimant,
  discardAttachment,
  readAttachment,
  removeAttachment,
  writeAttachment,
} from './attachments.ts';
import { type Config, DEFAULT_DHCP } from './config.ts';
import { type Checked, down, up } from './converge.ts';
import type { Domain } from './domain.ts';
import type { Host } from './host.ts';
import { withLock } from './lock.ts';
import type { Assignment } from './metadata.ts';
import { aliasOwner } from './names.ts';
import { observe, observeLinks, observeStart, observeUplink } from './observe.ts';
import { basePlan, bridgesOf, domainPlan } from './plan.ts';
import { Refusal } from './refusal.ts';
import type { Uplink } from './resources/firewall.ts';
import { iptables } from './resources/iptables.ts';
import { EMPTY_VIEW, type View } from './view.ts';

/**
 * Brings up everything for a domain that is about to start.
 * @returns what was brought up
 * @throws Refusal, with nothing of it left on the host
 */
export function attach(domain: Domain, assignment: Assignment, config: Config, host: Host): Checked[] {
  const attachment: Attachment = { domain: domain.uuid, name: domain.name, addresses: assignment.addresses };
  return withLock('sync', 'shared', host, () => {
    removeLeftover(domain.uuid, host);
    const view = withLock('claims', 'exclusive', host, () => admit(attachment, config, host));
    try {
      return up(domainPlan(attachment, config.dhcp, iptables), view, host);
    } catch (error) {
      removeAttachment(attachment);
      throw error;
    }
  });
}

/** A start that was killed, or whose daemon was, never got its release: what it made goes first. */
function removeLeftover(uuid: string, host: Host): void {
  let leftover: Attachment | undefined;
  try {
    leftover = readAttachment(uuid);
  } catch {
    discardAttachment(uuid);
  }
  if (leftover !== undefined) takeDown(leftover, host);
}

/** Refuses what collides, makes sure of the base, and claims; then the domain's resources are its own. */
function admit(attachment: Attachment, config: Config, host: Host): View {
  const { addresses } = attachment;
  const bridges = bridgesOf(attachment.domain, addresses);
  const prefixes = [...bridges.map(({ scope }) => nth(scope, 1n)), ...addresses.map(({ prefix }) => prefix)];
  const seen = observeStart(
    host,
    config,
    bridges.map(({ name }) => name),
    prefixes,
  );
  refuseForeignAddresses(
    addresses.map(({ prefix }) => prefix),
    config,
    seen.uplink,
  );
  refuseTakenScopes(addresses, seen.routes.values());
  bringUpBase(config, seen.uplink, seen.view, host);
  writeAttachment(attachment);
  return seen.view;
}

/** Brings up what is missing of the base. Each resource stands alone, so a failure undoes none of the others. */
export function bringUpBase(config: Config, uplink: Uplink, view: View, host: Host): Checked[] {
  return basePlan(config, uplink, iptables).flatMap(resource => up([resource], view, host));
}

/**
 * Takes down what a domain holds, by its attachment; where that is lost, by what its metadata says.
 * @returns the attachment it went by, or undefined if there was nothing to take down
 * @throws Refusal with everything that couldn't be removed; the attachment then stays, for the next try
 */
export function detach(domain: Domain, host: Host): Attachment | undefined {
  return withLock('sync', 'shared', host, () => {
    const attachment = attachmentOf(domain, host);
    if (attachment !== undefined) takeDown(attachment, host);
    return attachment;
  });
}

function attachmentOf(domain: Domain, host: Host): Attachment | undefined {
  try {
    const attachment = readAttachment(domain.uuid);
    if (attachment !== undefined) return attachment;
  } catch {
    discardAttachment(domain.uuid);
  }
  return reconstruct(domain, host);
}

/**
 * An attachment from the metadata, of those bridges alone whose alias names this domain and whose address
 * nobody else holds: a start that was refused because of another's address must not take that one down.
 */
function reconstruct({ uuid, name, intent }: Domain, host: Host): Attachment | undefined {
  if (intent.kind !== 'assigned') return undefined;
  const links = observeLinks(
    host,
    bridgesOf(uuid, intent.assignment.addresses).map(({ name: bridge }) => bridge),
  );
  const addresses = intent.assignment.addresses.filter(
    ({ prefix, bridge }) =>
      aliasOwner(links.get(bridge)?.alias ?? '') === uuid && [undefined, uuid].includes(claimant(prefix)),
  );
  return addresses.length === 0 ? undefined : { domain: uuid, name, addresses };
}

function takeDown(attachment: Attachment, host: Host): void {
  const failures = down(domainPlan(attachment, DEFAULT_DHCP, iptables), EMPTY_VIEW, host);
  if (failures.length > 0) throw new Refusal(failures.join('; '));
  removeAttachment(attachment);
}

/**
 * Repairs what a running domain should have, and plugs its taps in again where the bridge was made anew.
 * @returns what was repaired
 */
export function reattach(domain: Domain, config: Config, host: Host): Checked[] {
  return withLock('sync', 'shared', host, () => {
    const attachment = readOrRebuild(domain, config, host);
    if (attachment === undefined) return [];
    const view = observe(host);
    const base = bringUpBase(config, observeUplink(host, config), view, host);
    return [
      ...base,
      ...up(domainPlan({ ...attachment, taps: tapsOf(domain) }, config.dhcp, iptables), view, host),
    ];
  });
}

/** The attachment of a running domain; where it is lost, claimed anew from the live metadata. */
function readOrRebuild(domain: Domain, config: Config, host: Host): Attachment | undefined {
  try {
    const attachment = readAttachment(domain.uuid);
    if (attachment !== undefined) return attachment;
  } catch {
    discardAttachment(domain.uuid);
  }
  const assignment = assignmentOf(domain);
  if (assignment === undefined) return undefined;
  const attachment = { domain: domain.uuid, name: domain.name, addresses: assignment.addresses };
  withLock('claims', 'exclusive', host, () => admit(attachment, config, host));
  return attachment;
}

/** Bridge → the taps of a running domain that belong in it. */
export function tapsOf(domain: Domain): ReadonlyMap<string, string[]> {
  const taps = new Map<string, string[]>();
  for (const { type, source, tap } of domain.nics) {
    if (type === 'bridge' && source !== undefined && tap !== undefined)
      taps.set(source, [...(taps.get(source) ?? []), tap]);
  }
  return taps;
}
