/** What stands on a host whatever runs there: forwarding, routes of the pools, and the filter without its addresses. */

import { POLICIES_KEY } from '../firewall/foreign/firewalld.ts';
import type { Firewall } from '../firewall/rules/backend.ts';
import { chooseFirewall, firewallOf } from '../host/choose-backend.ts';
import type { Host } from '../host/host.ts';
import { observeUplink } from '../host/observe/uplink.ts';
import { observe } from '../host/observe/view.ts';
import type { Attachment } from '../model/attachment.ts';
import type { Config } from '../model/config.ts';
import type { Uplink } from '../model/uplink.ts';
import type { View } from '../model/view.ts';
import { basePlan } from '../plan/plan.ts';
import { type Checked, up } from '../plan/walker.ts';
import { attachedDomains, readAttachment } from '../state/attachment-files.ts';

/**
 * The filter that the running domains have. A change of the configuration waits for `hnet sync`: until then a
 * second filter, which knows of none of them, would drop their packets.
 */
export function firewallInForce(config: Config): Firewall {
  for (const uuid of attachedDomains()) {
    const attachment = readQuietly(uuid);
    if (attachment !== undefined) return firewallOf(attachment.backend, config.pools);
  }
  return chooseFirewall(config);
}

function readQuietly(uuid: string): Attachment | undefined {
  try {
    return readAttachment(uuid);
  } catch {
    return undefined;
  }
}

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

/** The interface on whose wire the provider looks for IPv6 addresses; undefined where it routes them. */
export const wireOf = (config: Config, host: Host): string | undefined =>
  config.ipv6 === 'on-link' ? observeUplink(host, config).device : undefined;
