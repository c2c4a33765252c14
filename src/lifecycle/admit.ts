/** Admits a domain: refuses what collides, brings up what is missing of the base, and claims the addresses. */
import { peerAddresses } from '../cluster/around.ts';
import { POLICIES_KEY } from '../firewall/foreign/firewalld.ts';
import type { Firewall } from '../firewall/rules/backend.ts';
import type { Host } from '../host/host.ts';
import type { StartView, Subject } from '../host/observe/start.ts';
import { observe } from '../host/observe/view.ts';
import type { Attachment } from '../model/attachment.ts';
import { bridgesOf, publicOf } from '../model/bridge.ts';
import type { Config } from '../model/config.ts';
import { ownAddresses, type Uplinks } from '../model/uplink.ts';
import type { View } from '../model/view.ts';
import { basePlan } from '../plan/plan.ts';
import { type Checked, check, up } from '../plan/walker.ts';
import { isWrong } from '../resources/resource.ts';
import { refuseClaimed, writeAttachment } from '../state/attachment-store.ts';
import {
  refuseForeignAddresses,
  refuseForeignScopes,
  refusePeerAddresses,
  refuseTakenScopes,
} from './admission.ts';

/** @throws Refusal for what no domain may have on this host; `routes` are those to its scopes */
export function refuseUnfit(
  { addresses }: Pick<Attachment, 'addresses'>,
  { uplinks, routes }: Pick<StartView, 'uplinks' | 'routes'>,
  config: Config,
): void {
  const prefixes = publicOf(addresses);
  refuseForeignAddresses(prefixes, config, ownAddresses(uplinks));
  refusePeerAddresses(prefixes, peerAddresses(config));
  refuseTakenScopes(addresses, routes);
  refuseForeignScopes(addresses, config);
}

/**
 * To be called under the `claims` lock. Afterwards the domain's resources are its own.
 * @param seen the host around those resources; a brief look suffices
 * @param stays what of it the domain is to keep: what it is to lose may be unfit
 * @returns whether something of the base was missing, so that `seen` is out of date
 * @throws Refusal with nothing claimed
 */
export function admit(
  attachment: Attachment,
  seen: StartView,
  config: Config,
  firewall: Firewall,
  host: Host,
  stays = attachment,
): boolean {
  // First, for a scope of another domain's is also a route of the host's: the refusal names the domain.
  refuseClaimed(attachment);
  refuseUnfit(stays, seen, config);
  const lacks = check(basePlan(config, seen.uplinks, firewall), seen.view).some(isWrong);
  // Bringing it up needs a look at everything.
  if (lacks) bringUpBase(config, seen.uplinks, firewall, observe(host, firewall), host);
  writeAttachment(attachment);
  return lacks;
}

/** What a domain touches on the host. */
export const subjectOf = ({ domain, addresses }: Attachment): Subject => ({
  isAnswered: addresses.some(({ wire }) => wire !== undefined),
  bridges: bridgesOf(domain, addresses),
  prefixes: addresses.map(({ prefix }) => prefix),
});

/**
 * Brings up what is missing of the base. Each resource is independent, so a failure undoes none of the others. After a
 * change to firewalld's policies the host is looked at again: see foreign/firewalld.ts.
 */
export function bringUpBase(
  config: Config,
  uplinks: Uplinks,
  firewall: Firewall,
  view: View,
  host: Host,
): Checked[] {
  const pass = (seen: View): Checked[] =>
    basePlan(config, uplinks, firewall).flatMap(resource => up([resource], seen, host));
  const done = pass(view);
  const keys = new Set(done.map(({ resource }) => resource.key));
  if (!keys.has(POLICIES_KEY)) return done;
  return [...done, ...pass(observe(host, firewall)).filter(({ resource }) => !keys.has(resource.key))];
}
