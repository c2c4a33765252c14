/** What repairs are made with. */
import { around } from '../cluster/around.ts';
import { toAttachment } from '../lifecycle/admission.ts';
import type { Attachment } from '../model/attachment.ts';
import { type Domain, tapsOf } from '../model/domain.ts';
import { wireFor } from '../model/uplink.ts';
import type { Change } from '../plan/change.ts';
import { claims } from '../resources/claims.ts';
import type { Of, Seen } from './findings.ts';

/** What a change of a domain is compared and made with. */
export const meansOf = ({ config, firewall, uplinks, view }: Seen) => ({
  view,
  dhcp: config.dhcp,
  ...around(config, uplinks),
  firewall,
});

/** The record of a domain that has lost it, from its live metadata. */
export function lostAttachment(
  { domain, assignment, state }: Of<'lost'>,
  { firewall, uplinks }: Pick<Seen, 'firewall' | 'uplinks'>,
): Attachment {
  const made = toAttachment(domain, assignment, firewall.name, prefix => wireFor(prefix, uplinks));
  return state === undefined ? made : { ...made, state };
}

/**
 * The change that mends what a domain should have, in the filter that the configuration chooses. Its taps are looked after
 * where libvirt says which they are.
 * @param standing every claim and the domain it names
 */
export function mending(
  attachment: Attachment,
  domain: Domain | undefined,
  { firewall }: Pick<Seen, 'firewall'>,
  standing: ReadonlyMap<string, string>,
): Change {
  return {
    before: attachment,
    after: { ...attachment, backend: firewall.name },
    ...(domain && { taps: tapsOf(domain) }),
    besides: [claims(attachment, standing)],
  };
}
