import { iptables } from '../firewall/iptables/iptables.ts';
import { nftables } from '../firewall/nftables/nftables.ts';
import type { Firewall } from '../firewall/rules/backend.ts';
import type { Attachment } from '../model/attachment.ts';
import type { Config } from '../model/config.ts';
import { FAMILIES, type Family, type Prefix } from '../model/prefix.ts';
import { hasTool } from './tools.ts';

const MAKERS = { iptables, nftables };

/** IPv4 always, for the bootstrap leases, and IPv6 if one of the prefixes is. */
export const familiesIn = (prefixes: readonly Prefix[]): readonly Family[] =>
  prefixes.some(({ family }) => family === 6) ? [4, 6] : [4];

/** A filter for the families of some prefixes: without IPv6 nothing of it is set up, looked at or waited for. */
export const firewallOf = (name: Firewall['name'], prefixes: readonly Prefix[]): Firewall =>
  MAKERS[name](familiesIn(prefixes));

/** With these a filter is that of all families: for removing one. */
export const EVERY_FAMILY: readonly Prefix[] = FAMILIES.map(family => ({ family, first: 0n, length: 0 }));

/** The filter of a running domain, for its own families and those of the pools. */
export const firewallFor = (
  { backend, addresses }: Pick<Attachment, 'backend' | 'addresses'>,
  pools: readonly Prefix[] = [],
): Firewall => firewallOf(backend, [...pools, ...addresses.map(({ prefix }) => prefix)]);

/** The filter that the configuration chooses; `auto` is iptables if it and ipset are installed. */
export function chooseFirewall({ firewall, pools }: Pick<Config, 'firewall' | 'pools'>): Firewall {
  if (firewall.backend !== 'auto') return firewallOf(firewall.backend, pools);
  return firewallOf(hasTool('iptables-restore') && hasTool('ipset') ? 'iptables' : 'nftables', pools);
}
