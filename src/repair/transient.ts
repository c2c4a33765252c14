/** Domains that came from another host without their definition. */
import { withLibvirt } from '../libvirt/libvirt.ts';
import { domainWord } from '../model/domain.ts';
import { readAttachments } from '../state/records.ts';
import type { Fault } from './fault.ts';
import type { Listing } from './listing.ts';

/** Of those with addresses each that is gone when it stops. One that is still coming gets its definition at the end. */
export function transientFaults({ running }: Listing): Fault[] {
  const attachments = readAttachments().filter(({ state }) => state !== 'incoming');
  const here = attachments.flatMap(({ domain }) => running?.get(domain) ?? []);
  if (here.length === 0) return [];
  const lost = withLibvirt(({ connection }) => here.filter(({ uuid }) => !connection.isPersistent(uuid)));
  return lost.map(domain => ({
    domain: domain.name,
    uuid: domain.uuid,
    what: 'definition',
    is: 'missing',
    why: 'it is transient, as after virsh migrate without --persistent, and gone when it stops',
    mend: `virsh dumpxml ${domainWord(domain)} >/tmp/domain.xml && virsh define /tmp/domain.xml`,
  }));
}
