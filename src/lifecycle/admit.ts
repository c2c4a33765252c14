/** Lets a domain in: what collides is refused, the base is brought up where it is missing, the addresses are claimed. */

import { POLICIES_KEY } from '../firewall/foreign/firewalld.ts';
import type { Firewall } from '../firewall/rules/backend.ts';
import type { Host } from '../host/host.ts';
import { look } from '../host/observe/parts.ts';
import { observeStart, type Subject } from '../host/observe/start.ts';
import { observe } from '../host/observe/view.ts';
import type { Attachment } from '../model/attachment.ts';
import { bridgesOf } from '../model/bridge.ts';
import type { Config } from '../model/config.ts';
import { ownAddresses, type Uplink } from '../model/uplink.ts';
import type { View } from '../model/view.ts';
import { basePlan } from '../plan/plan.ts';
import { type Checked, check, isWrong, up } from '../plan/walker.ts';
import { refuseClaimed, writeAttachment } from '../state/attachment-store.ts';
import { refuseForeignAddresses, refuseTakenScopes } from './admission.ts';

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

/**
 * Brings up what is missing of the base. Each resource stands alone, so a failure undoes none of the others. Where
 * firewalld was told of something, all is looked at once more: see there.
 */
export function bringUpBase(
  config: Config,
  uplink: Uplink,
  firewall: Firewall,
  view: View,
  host: Host,
): Checked[] {
  const pass = (seen: View): Checked[] =>
    basePlan(config, uplink, firewall).flatMap(resource => up([resource], seen, host));
  const done = pass(view);
  const keys = new Set(done.map(({ resource }) => resource.key));
  if (!keys.has(POLICIES_KEY)) return done;
  return [...done, ...pass(observe(host, firewall)).filter(({ resource }) => !keys.has(resource.key))];
}
