import type { Firewall } from '../firewall/rules/backend.ts';
import { chooseFirewall, firewallOf } from '../host/choose-backend.ts';
import type { Host } from '../host/host.ts';
import { findWays } from '../host/observe/uplink.ts';
import type { Presumed, WireOf } from '../model/attachment.ts';
import { type Config, isOnLink } from '../model/config.ts';
import { DEFAULT_CONFIG } from '../model/parse-config.ts';
import { FAMILIES } from '../model/prefix.ts';
import { ifPossible } from '../model/refusal.ts';
import { wireFor } from '../model/uplink.ts';
import { attachedDomains } from '../state/attachment-files.ts';
import { readableAttachment } from '../state/attachment-store.ts';

/**
 * The filter that the running domains have. A change of the configuration waits for `hnet sync`: until then a
 * second filter, which knows of none of them, would drop their packets.
 */
export function firewallInForce(config: Config): Firewall {
  for (const uuid of attachedDomains()) {
    const attachment = readableAttachment(uuid);
    if (attachment !== undefined) return firewallOf(attachment.backend, config.pools);
  }
  return chooseFirewall(config);
}

/** {@link wireFor} where the uplinks aren't known yet: they are only asked for if it matters. */
export function wiresOf(config: Config, host: Host): WireOf {
  if (!FAMILIES.some(family => isOnLink(family, config))) return () => undefined;
  const ways = findWays(host, config);
  return prefix => wireFor(prefix, ways);
}

/** What a domain was set up with whose record is lost: by the other domains and the configuration, as far as that can be read. */
export function presumed(read: () => Config, host: Host): Presumed {
  const config = ifPossible(read) ?? DEFAULT_CONFIG;
  return {
    backend: firewallInForce(config).name,
    wires: ifPossible(() => wiresOf(config, host)) ?? (() => undefined),
  };
}
