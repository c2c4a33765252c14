/** A stop: takes down what a domain has, by the record of what was set up. */
import { firewallFor } from '../host/choose-backend.ts';
import type { Host } from '../host/host.ts';
import { withLock } from '../host/lock.ts';
import { observeLinks } from '../host/observe/start.ts';
import type { Attachment, Presumed } from '../model/attachment.ts';
import { bridgesOf } from '../model/bridge.ts';
import type { Claimed } from '../model/claims.ts';
import type { Domain } from '../model/domain.ts';
import { aliasOwner } from '../model/names.ts';
import { readableAttachment, removeAttachment } from '../state/attachment-store.ts';
import { claimant } from '../state/claim-index.ts';
import { toAttachment } from './admission.ts';
import { takeDown } from './apply.ts';

/**
 * Takes down what a domain holds, by its attachment; where that is lost, by what its metadata says.
 * @param presume what it was set up with, for that case
 * @returns the attachment it went by, or undefined if there was nothing to take down
 * @throws Refusal with everything that couldn't be removed; the attachment then stays, for the next try
 */
export function stop(domain: Domain, host: Host, presume: () => Presumed): Attachment | undefined {
  return withLock('sync', 'shared', host, () => {
    const attachment = readableAttachment(domain.uuid) ?? reconstruct(domain, host, presume);
    if (attachment !== undefined) takeDown(attachment, firewallFor(attachment), host);
    // A start that was killed on the way may have claimed, and got no further.
    else removeAttachment({ domain: domain.uuid, ...assignedTo(domain) });
    return attachment;
  });
}

const assignedTo = ({ intent }: Domain): Claimed =>
  intent.kind === 'assigned' ? intent.assignment : { addresses: [] };

/**
 * An attachment from the metadata, of those bridges alone whose alias names this domain and whose address
 * nobody else holds: a start that was refused because of another's address must not take that one down.
 */
function reconstruct(domain: Domain, host: Host, presume: () => Presumed): Attachment | undefined {
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
  const { backend, wires } = presume();
  return toAttachment(domain, { ...assignment, addresses }, backend, wires);
}
