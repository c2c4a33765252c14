/**
 * What nothing tells of, in a text that changes when it does: DHCP servers that die, entries that leave a set, rules
 * of iptables-legacy, the switch for forwarding. Two short commands at most, for it is read every second.
 */
import type { Firewall } from '../firewall/rules/backend.ts';
import { readIfThere } from '../host/files.ts';
import { Host } from '../host/host.ts';
import { processOf, servedFrom } from '../host/processes.ts';
import { DHCP_DIRECTORY, NDP_DIRECTORY } from '../model/names.ts';
import type { Family } from '../model/prefix.ts';
import { FORWARDING } from '../resources/forwarding.ts';

export function readPulse({ name, families }: Firewall): string {
  const host = new Host({ limit: 5_000 });
  return [
    ...families.map(family => readIfThere(FORWARDING[family]) ?? ''),
    ...servers(DHCP_DIRECTORY),
    ...servers(NDP_DIRECTORY),
    ...(name === 'iptables' ? [sets(host.output(['ipset', 'list', '-t'])), legacyRules(host, families)] : []),
  ].join('\n');
}

/** Each server has the files BRIDGE.conf and BRIDGE.pid. */
function servers(directory: string): string[] {
  return servedFrom(directory).map(bridge => {
    const file = `${directory}/${bridge}`;
    return `${file} ${processOf(`${file}.pid`, `${file}.conf`) ?? 'dead'}`;
  });
}

/** Names and numbers of entries; those of the sets whose entries end by themselves don't count. */
function sets(listing: string): string {
  const blocks = listing
    .split('\n\n')
    .filter(block => /^Name: hnet/m.test(block) && !/-(settling|soliciting)$/m.test(block));
  return blocks.map(block => block.match(/^(Name|Number of entries): .*$/gm)?.join(' ')).join('\n');
}

/** Only the older kind of iptables changes without a word. */
function legacyRules(host: Host, families: readonly Family[]): string {
  if (!host.output(['iptables', '--version']).includes('legacy')) return '';
  const saved = families.map(family => host.output([family === 4 ? 'iptables-save' : 'ip6tables-save']));
  return saved.join('').replace(/\[\d+:\d+\]|^#.*$/gm, '');
}
