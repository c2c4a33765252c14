/** A start: everything that a domain's assignment asks for, or nothing. */
import { enter, retreat } from '../cluster/admit.ts';
import { around, peerAddresses } from '../cluster/around.ts';
import { newStart } from '../cluster/new-start.ts';
import { memberOf } from '../cluster/open.ts';
import type { Firewall } from '../firewall/rules/backend.ts';
import { firewallFor } from '../host/choose-backend.ts';
import type { Host } from '../host/host.ts';
import { withLock } from '../host/lock.ts';
import { type FirstLook, lookAtFilter, observeStart } from '../host/observe/start.ts';
import { readNetwork } from '../host/observe/view.ts';
import { format } from '../model/address.ts';
import type { Assignment } from '../model/assignment.ts';
import type { Attachment } from '../model/attachment.ts';
import { isPrivate, publicOf } from '../model/bridge.ts';
import type { Config } from '../model/config.ts';
import type { Domain } from '../model/domain.ts';
import { hostAddresses } from '../model/host-address.ts';
import { contains } from '../model/prefix.ts';
import { Refusal, reason } from '../model/refusal.ts';
import { type Reservation, refuseKept } from '../model/reservation.ts';
import { ownAddresses } from '../model/uplink.ts';
import type { Checked } from '../plan/walker.ts';
import { readableAttachment, removeAttachment } from '../state/attachment-store.ts';
import { readReservations } from '../state/reservations.ts';
import {
  refuseForeignAddresses,
  refuseHostAddresses,
  refusePeerAddresses,
  toAttachment,
} from './admission.ts';
import { admit, subjectOf } from './admit.ts';
import { apply, takeDown } from './apply.ts';
import { firewallInForce, wiresOf } from './in-force.ts';
import { refuseHostPorts } from './ports.ts';
import { keepScript } from './release-script.ts';

/**
 * Brings up everything for a domain that is about to start.
 * @param state `incoming` where it comes from another host, on which it still runs
 * @returns what was brought up
 * @throws Refusal, with nothing of it left on the host
 */
export function start(
  domain: Domain,
  assignment: Assignment,
  config: Config,
  host: Host,
  state?: 'incoming',
): Checked[] {
  // What comes from another host is that one's by etcd's word until it has arrived.
  const cluster = state === undefined ? memberOf(config, host) : undefined;
  if (cluster === undefined) refuseReserved(domain, assignment, host);
  refuseHostPorts(domain, host);
  return withLock('sync', 'shared', host, () => {
    // A start that was killed never got its release, so what it left is taken down first.
    const leftover = readableAttachment(domain.uuid);
    if (leftover !== undefined) takeDown(leftover, firewallFor(leftover), host);
    const firewall = firewallInForce(config);
    const made = toAttachment(domain, assignment, firewall.name, wiresOf(config, host));
    const after = { ...made, ...(state && { state }) };
    // Before etcd is asked, which would keep for it what it can't have.
    refusePeerAddresses(publicOf(after.addresses), peerAddresses(config));
    const run = cluster && enter(cluster, { ...domain, addresses: after.addresses }, newStart(), host);
    try {
      return bringUp(after, firewall, config, host);
    } catch (error) {
      if (cluster !== undefined) retreat(cluster, domain, run, host);
      throw error;
    }
  });
}

function bringUp(after: Attachment, firewall: Firewall, config: Config, host: Host): Checked[] {
  const { view, uplinks } = withLock('claims', 'exclusive', host, () => {
    const seen = lookAhead(after, firewall, config, host);
    const isNew = admit(after, seen, config, firewall, host);
    const view = isNew ? { ...seen.view, filter: lookAtFilter(host, firewall) } : seen.view;
    return { view, uplinks: seen.uplinks };
  });
  try {
    const means = { view, dhcp: config.dhcp, firewall, host, ...around(config, uplinks) };
    const done = apply([{ before: undefined, after }], means);
    keepScript(after);
    return done;
  } catch (error) {
    removeAttachment(after);
    throw error;
  }
}

/** Metadata may come from a template or a copy, past `hnet assign`. @throws Refusal for what is kept for another domain */
const refuseReserved = ({ name }: Domain, { addresses }: Assignment, host: Host): void =>
  refuseKept(
    addresses.map(({ prefix }) => prefix),
    name,
    reservationsFor(host),
  );

/** A file that can't be read is no reason not to start. */
function reservationsFor({ warnings }: Host): Reservation[] {
  try {
    return readReservations();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    warnings.push(reason(error));
    return [];
  }
}

/** The host around what a domain will touch. @throws Refusal for an address that the host itself has */
export function lookAhead(after: Attachment, firewall: Firewall, config: Config, host: Host): FirstLook {
  const seen = observeStart(host, firewall, config, subjectOf(after));
  if (seen.own.length > 0) refuseOwn(after, seen, config, host);
  return seen;
}

/**
 * The look of a start says of an address that the host takes it; the whole network tells by which interface.
 * @throws Refusal, always
 */
function refuseOwn(
  { addresses }: Pick<Attachment, 'addresses'>,
  { own, uplinks }: FirstLook,
  config: Config,
  host: Host,
): never {
  const inner = addresses.filter(isPrivate);
  const known = own.filter(one => !inner.some(({ prefix }) => contains(prefix, one)));
  refuseForeignAddresses(known, config, ownAddresses(uplinks));
  refuseHostAddresses(own, hostAddresses(readNetwork(host)), uplinks);
  const which = own.map(format).join(', ');
  throw new Refusal(`the host takes ${which} for its own, by a route that ip route show table local shows`);
}
