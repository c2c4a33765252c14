import type { Firewall } from '../firewall/rules/backend.ts';
import { chooseFirewall, firewallOf } from '../host/choose-backend.ts';
import type { Host } from '../host/host.ts';
import { observeUplink } from '../host/observe/uplink.ts';
import type { Attachment } from '../model/attachment.ts';
import type { Config } from '../model/config.ts';
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

/** The interface on whose wire the provider looks for IPv6 addresses; undefined where it routes them. */
export const wireOf = (config: Config, host: Host): string | undefined =>
  config.ipv6 === 'on-link' ? observeUplink(host, config).device : undefined;
