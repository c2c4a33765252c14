/** From a domain's assignment to what stands in the kernel, and back. */

import type { Firewall } from '../firewall/rules/backend.ts';
import { chooseFirewall, firewallFor } from '../host/choose-backend.ts';
import { forgetFlows } from '../host/flows.ts';
import type { Host } from '../host/host.ts';
import { withLock } from '../host/lock.ts';
import { look } from '../host/observe/parts.ts';
import { observeLinks, observeStart } from '../host/observe/start.ts';
import { observeUplink } from '../host/observe/uplink.ts';
import { observe } from '../host/observe/view.ts';
import type { Address, Assignment } from '../model/assignment.ts';
import type { Attachment } from '../model/attachment.ts';
import type { Config } from '../model/config.ts';
import { ownMode } from '../model/dhcp-mode.ts';
import { type Domain, macsOf } from '../model/domain.ts';
import { aliasOwner } from '../model/names.ts';
import { DEFAULT_CONFIG } from '../model/parse-config.ts';
import { Refusal } from '../model/refusal.ts';
import { isTracked } from '../model/rule.ts';
import { ownAddresses } from '../model/uplink.ts';
import { EMPTY_VIEW, type View } from '../model/view.ts';
import { basePlan, bridgesOf, domainPlan } from '../plan/plan.ts';
import { type Checked, check, down, repair, up } from '../plan/walker.ts';
import { readAttachment } from '../state/attachment-files.ts';
import {
  discardAttachment,
  removeAttachment,
  writeAttachment,
  writeScript,
} from '../state/attachment-store.ts';
import { claimant, refuseClaimed } from '../state/claim-index.ts';
import { addUp, noteOwner, noteStart, readEntry } from '../state/ledger.ts';
import { assignmentOf, refuseForeignAddresses, refuseTakenScopes } from './admission.ts';
import { bringUpBase, firewallInForce } from './base.ts';
import { holdings, releaseScript } from './release-script.ts';

/** The interface on whose wire the provider looks for IPv6 addresses; undefined where it routes them. */
export const wireOf = (config: Config, host: Host): string | undefined =>
  config.ipv6 === 'on-link' ? observeUplink(host, config).device : undefined;

/**
 * What a domain would have attached, by its assignment.
 * @param wire see {@link wireOf}
 */
export function toAttachment(
  domain: Domain,
  assignment: Assignment,
  firewall: Firewall,
  wire: string | undefined,
): Attachment {
  const { addresses, policy, dhcp } = assignment;
  const macs = new Map(
    [...macsOf(domain)].filter(([name]) => addresses.some(({ bridge }) => bridge === name)),
  );
  const own = { domain: domain.uuid, name: domain.name, addresses, policy, backend: firewall.name };
  const isAnswered = wire !== undefined && addresses.some(({ prefix }) => prefix.family === 6);
  return { ...own, ...ownMode(dhcp), macs, ...(isAnswered ? { onLink: wire } : {}) };
}

/**
 * Brings up everything for a domain that is about to start.
 * @returns what was brought up
 * @throws Refusal, with nothing of it left on the host
 */
export function attach(domain: Domain, assignment: Assignment, config: Config, host: Host): Checked[] {
  return withLock('sync', 'shared', host, () => {
    removeLeftover(domain.uuid, host);
    const firewall = firewallInForce(config);
    const attachment = toAttachment(domain, assignment, firewall, wireOf(config, host));
    for (const { prefix } of attachment.addresses) noteStart(prefix, domain.uuid);
    const view = withLock('claims', 'exclusive', host, () => admit(attachment, config, firewall, host));
    try {
      for (const address of attachment.addresses) changeOwner(address, domain.uuid, host);
      const done = up(domainPlan(attachment, config.dhcp, firewall), view, host);
      const script = releaseScript(attachment);
      if (script !== undefined) writeScript(domain.uuid, script);
      return done;
    } catch (error) {
      removeAttachment(attachment);
      throw error;
    }
  });
}

/** A start that was killed, or whose daemon was, never got its release: what it made goes first. */
function removeLeftover(uuid: string, host: Host): void {
  const leftover = readOrDiscard(uuid);
  if (leftover !== undefined) takeDown(leftover, host);
}

export function readOrDiscard(uuid: string): Attachment | undefined {
  try {
    return readAttachment(uuid);
  } catch {
    discardAttachment(uuid);
    return undefined;
  }
}

/**
 * Refuses what collides, makes sure of the base, and claims; then the domain's resources are its own.
 * @param begins whether the kernel's counters begin anew, as they do with a run
 */
export function admit(attachment: Attachment, config: Config, firewall: Firewall, host: Host): View {
  const { addresses } = attachment;
  const bridges = bridgesOf(attachment.domain, addresses);
  const prefixes = addresses.map(({ prefix }) => prefix);
  const seen = observeStart(host, firewall, config, bridges, prefixes);
  refuseForeignAddresses(prefixes, config, ownAddresses(seen.uplink));
  refuseClaimed(attachment);
  refuseTakenScopes(addresses, seen.routes);
  const base = basePlan(config, seen.uplink, firewall);
  // The brief look suffices to see that all is there; to build, everything must be known.
  const complete = check(base, seen.view).every(({ finding }) => finding.is === 'present');
  if (!complete) bringUpBase(config, seen.uplink, firewall, observe(host, firewall), host);
  writeAttachment(attachment);
  return complete ? seen.view : { ...seen.view, filter: look(host, firewall.looks.brief) };
}

/**
 * Flows that were tracked for an address's last owner would reach the next one past every rule ("a potential
 * security hole", as Calico's Felix found): they are forgotten when the owner changes.
 */
export function changeOwner({ prefix, scope }: Address, domain: string, host: Host): void {
  const before = readEntry(prefix);
  if (before?.domain === domain) return;
  noteOwner(prefix, domain);
  if (before === undefined) return;
  for (const range of [prefix, scope]) forgetFlows(range, host);
}

/**
 * Takes down what a domain holds, by its attachment; where that is lost, by what its metadata says.
 * @returns the attachment it went by, or undefined if there was nothing to take down
 * @throws Refusal with everything that couldn't be removed; the attachment then stays, for the next try
 */
export function detach(domain: Domain, host: Host): Attachment | undefined {
  return withLock('sync', 'shared', host, () => {
    const attachment = readOrDiscard(domain.uuid) ?? reconstruct(domain, host);
    if (attachment !== undefined) takeDown(attachment, host);
    // A start that was killed on the way may have claimed, and got no further.
    else if (domain.intent.kind === 'assigned')
      removeAttachment({ domain: domain.uuid, addresses: domain.intent.assignment.addresses });
    return attachment;
  });
}

/**
 * An attachment from the metadata, of those bridges alone whose alias names this domain and whose address
 * nobody else holds: a start that was refused because of another's address must not take that one down.
 */
function reconstruct(domain: Domain, host: Host): Attachment | undefined {
  const { uuid, intent } = domain;
  if (intent.kind !== 'assigned') return undefined;
  const { assignment } = intent;
  const links = observeLinks(
    host,
    bridgesOf(uuid, assignment.addresses).map(({ name }) => name),
  );
  const addresses = assignment.addresses.filter(
    ({ prefix, bridge }) =>
      aliasOwner(links.get(bridge)?.alias ?? '') === uuid && [undefined, uuid].includes(claimant(prefix)),
  );
  if (addresses.length === 0) return undefined;
  return toAttachment(domain, { ...assignment, addresses }, chooseFirewall(DEFAULT_CONFIG), undefined);
}

/** Takes everything of an attachment down, then the attachment itself; its traffic is added up. */
export function takeDown(attachment: Attachment, host: Host): void {
  const firewall = firewallFor(attachment);
  const prefixes = attachment.addresses.map(({ prefix }) => prefix);
  const counters = look(host, firewall.counters(prefixes));
  // Only the rules of a domain must be seen to be removed; everything else goes by name.
  const view = isTracked(attachment.policy)
    ? { ...EMPTY_VIEW, filter: look(host, firewall.looks.brief) }
    : EMPTY_VIEW;
  const failures = down(holdings(attachment, firewall), view, host);
  if (failures.length > 0) throw new Refusal(failures.join('; '));
  for (const prefix of prefixes) addUp(prefix, attachment.domain, counters, true);
  removeAttachment(attachment);
}

/**
 * Repairs what a running domain should have, and plugs its taps in again where the bridge was made anew.
 * @returns what was repaired
 */
export function reattach(domain: Domain, config: Config, host: Host): Checked[] {
  return withLock('sync', 'shared', host, () => {
    const attachment = readOrDiscard(domain.uuid) ?? claimAnew(domain, config, firewallInForce(config), host);
    if (attachment === undefined) return [];
    const firewall = firewallFor(attachment, config.pools);
    const view = observe(host, firewall);
    const base = basePlan(config, observeUplink(host, config), firewall);
    const own = domainPlan({ ...attachment, taps: tapsOf(domain) }, config.dhcp, firewall);
    const { done, failures } = repair([...base, ...own], view, host);
    if (failures.length > 0) throw new Refusal(failures.join('; '));
    return done;
  });
}

/** The attachment of a running domain that lost it, from its live metadata. */
function claimAnew(domain: Domain, config: Config, firewall: Firewall, host: Host): Attachment | undefined {
  const assignment = assignmentOf(domain);
  if (assignment === undefined) return undefined;
  const attachment = toAttachment(domain, assignment, firewall, wireOf(config, host));
  withLock('claims', 'exclusive', host, () => admit(attachment, config, firewall, host));
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
