import { existsSync } from 'node:fs';
import type { Config } from './config.ts';
import type { Firewall } from './firewall/firewall.ts';
import { iptables } from './firewall/iptables.ts';
import { nftables } from './firewall/nftables.ts';

export const FIREWALLS: Readonly<Record<Firewall['name'], Firewall>> = { iptables, nftables };

/** The filter that the configuration chooses; `auto` takes iptables where it and ipset are there. */
export function chooseFirewall({ firewall: { backend } }: Pick<Config, 'firewall'>): Firewall {
  if (backend !== 'auto') return FIREWALLS[backend];
  return hasTool('iptables-restore') && hasTool('ipset') ? iptables : nftables;
}

const hasTool = (name: string): boolean =>
  ['/usr/sbin', '/sbin', '/usr/bin'].some(directory => existsSync(`${directory}/${name}`));
