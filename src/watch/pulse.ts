/**
 * What nothing tells of, in a text that changes when it does: DHCP servers that die, entries that leave a set, rules
 * of iptables-legacy, the switch for forwarding. Two short commands at most, for it is read every second.
 */
import { existsSync, readdirSync } from 'node:fs';
import type { Firewall } from '../firewall/firewall.ts';
import { CommandFailure, Host, processOf, readIfThere } from '../host.ts';
import { DHCP_DIRECTORY } from '../names.ts';
import { configurationFile, pidFile } from '../resources/dhcp.ts';

export function readPulse({ name }: Firewall): string {
  const host = new Host({ limit: 5_000 });
  return [
    readIfThere('/proc/sys/net/ipv4/ip_forward') ?? '',
    ...servers(),
    ...(name === 'iptables' ? [sets(output(host, ['ipset', 'list', '-t'])), legacyRules(host)] : []),
  ].join('\n');
}

function servers(): string[] {
  if (!existsSync(DHCP_DIRECTORY)) return [];
  const bridges = readdirSync(DHCP_DIRECTORY).flatMap(name => /^(.*)\.pid$/.exec(name)?.[1] ?? []);
  return bridges.map(
    bridge => `${bridge} ${processOf(pidFile(bridge), configurationFile(bridge)) ?? 'dead'}`,
  );
}

/** Names and numbers of entries; those of the set whose entries end by themselves don't count. */
function sets(listing: string): string {
  const blocks = listing
    .split('\n\n')
    .filter(block => /^Name: hnet/m.test(block) && !/-settling$/m.test(block));
  return blocks.map(block => block.match(/^(Name|Number of entries): .*$/gm)?.join(' ')).join('\n');
}

/** Only the older kind of iptables changes without a word. */
function legacyRules(host: Host): string {
  if (!output(host, ['iptables', '--version']).includes('legacy')) return '';
  return output(host, ['iptables-save']).replace(/\[\d+:\d+\]|^#.*$/gm, '');
}

function output(host: Host, argv: readonly string[]): string {
  try {
    return host.run(argv);
  } catch (error) {
    if (error instanceof CommandFailure) return '';
    throw error;
  }
}
