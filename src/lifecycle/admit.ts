/** Lets a domain in: what collides is refused, the base is made sure of, and its addresses are claimed. */
import type { Firewall } from '../firewall/rules/backend.ts';
import type { Host } from '../host/host.ts';
import { look } from '../host/observe/parts.ts';
import { observeStart, type Subject } from '../host/observe/start.ts';
import { observe } from '../host/observe/view.ts';
import type { Attachment } from '../model/attachment.ts';
import type { Config } from '../model/config.ts';
import { ownAddresses } from '../model/uplink.ts';
import type { View } from '../model/view.ts';
import { basePlan, bridgesOf } from '../plan/plan.ts';
import { check, isWrong } from '../plan/walker.ts';
import { writeAttachment } from '../state/attachment-store.ts';
import { refuseClaimed } from '../state/claim-index.ts';
import { refuseForeignAddresses, refuseTakenScopes } from './admission.ts';
import { bringUpBase } from './base.ts';

/**
 * To be called under the `claims` lock. Afterwards the domain's resources are its own.
 * @returns what stands where they will be
 * @throws Refusal with nothing claimed
 */
export function admit(attachment: Attachment, config: Config, firewall: Firewall, host: Host): View {
  const { addresses } = attachment;
  const subject = subjectOf(attachment);
  const seen = observeStart(host, firewall, config, subject);
  refuseForeignAddresses(subject.prefixes, config, ownAddresses(seen.uplink));
  refuseClaimed(attachment);
  refuseTakenScopes(addresses, seen.routes);
  const base = basePlan(config, seen.uplink, firewall);
  // The brief look suffices to see that all is there; to build, everything must be known.
  const complete = !check(base, seen.view).some(isWrong);
  if (!complete) bringUpBase(config, seen.uplink, firewall, observe(host, firewall), host);
  writeAttachment(attachment);
  return complete ? seen.view : { ...seen.view, filter: look(host, firewall.looks.brief) };
}

/** What a domain touches on the host. */
export const subjectOf = ({ domain, addresses, onLink }: Attachment): Subject => ({
  onLink,
  bridges: bridgesOf(domain, addresses),
  prefixes: addresses.map(({ prefix }) => prefix),
});
