/** Writes and restores the metadata of domains. */
import type { Affects } from '../libvirt/connection.ts';
import type { KnownDomain, Libvirt } from '../libvirt/libvirt.ts';
import type { Domain } from '../model/domain.ts';
import { renderAssignment } from '../model/metadata.ts';
import { quote, Refusal } from '../model/refusal.ts';

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
