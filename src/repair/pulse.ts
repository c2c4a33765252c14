/**
 * What nothing tells of, in a text that changes when it does: DHCP servers that die, entries that leave a set, rules
 * of iptables-legacy, what ARP requests are ignored, for which addresses the kernel answers them. A short command for each
 * of these at most, and only where the host has it, for it is read every second.
 */
import type { Firewall } from '../firewall/rules/backend.ts';
import { readShortIfThere } from '../host/files.ts';
import { Host } from '../host/host.ts';
import { processOf, servedFrom } from '../host/processes.ts';
import { type Config, isOnLink } from '../model/config.ts';
import { DHCP_DIRECTORY, NDP_DIRECTORY } from '../model/names.ts';
import type { Family } from '../model/prefix.ts';
import { ARP_IGNORE } from '../resources/bridge.ts';
import { switchPaths } from '../resources/bridge-switches.ts';
import { FORWARDING } from '../resources/forwarding.ts';
import { claimedBridges } from '../state/claim-index.ts';

export function readPulse({ name, families }: Firewall, config: Config): string {
  const host = new Host({ limit: 5_000 });
  return [
    ...[...families.map(family => FORWARDING[family]), ARP_IGNORE].map(path => readShortIfThere(path) ?? ''),
    ...servers(DHCP_DIRECTORY),
    ...servers(NDP_DIRECTORY),
    ...(isOnLink(4, config) ? [host.output(['ip', 'neigh', 'show', 'proxy'])] : []),
    ...(name === 'iptables'
      ? [lastingSets(host.output(['ipset', 'list', '-t'])), legacyRules(host, families)]
      : []),
  ].join('\n');
}

/** So many switches of bridges are read at each pulse, all of some fifty domains; with more domains it takes a few pulses. */
const AT_ONCE = 400;

/** The kernel tells of a change of few switches, such as forwarding. Of the others it is seen only by reading them. */
export class Switches {
  #left: string[] = [];
  #known: ReadonlyMap<string, string | undefined> = new Map();
  readonly #read = new Map<string, string | undefined>();

  /** Whether one of those that are read this time is another than when it was read before. */
  haveChanged(): boolean {
    if (this.#left.length === 0) this.#begin();
    const paths = this.#left.splice(0, AT_ONCE);
    for (const path of paths) this.#read.set(path, readShortIfThere(path));
    return paths.some(path => this.#known.has(path) && this.#known.get(path) !== this.#read.get(path));
  }

  /** The next round, through the bridges that there are by now. */
  #begin(): void {
    this.#left = claimedBridges().flatMap(switchPaths);
    this.#known = new Map(this.#read);
    this.#read.clear();
  }
}

/** Each server has the files BRIDGE.conf and BRIDGE.pid. */
function servers(directory: string): string[] {
  return servedFrom(directory).map(bridge => {
    const file = `${directory}/${bridge}`;
    return `${file} ${processOf(`${file}.pid`, `${file}.conf`) ?? 'dead'}`;
  });
}

/** Names and numbers of entries in what `ipset list -t` prints; sets whose entries all end by themselves are left out. */
export function lastingSets(listing: string): string {
  const blocks = listing
    .split('\n\n')
    .filter(block => /^Name: hnet/m.test(block) && !/^Header: .* timeout [1-9]/m.test(block));
  return blocks.map(block => block.match(/^(Name|Number of entries): .*$/gm)?.join(' ')).join('\n');
}

/** Only the older kind of iptables changes without a word. */
function legacyRules(host: Host, families: readonly Family[]): string {
  if (!host.output(['iptables', '--version']).includes('legacy')) return '';
  const saved = families.map(family => host.output([family === 4 ? 'iptables-save' : 'ip6tables-save']));
  return saved.join('').replace(/\[\d+:\d+\]|^#.*$/gm, '');
}
