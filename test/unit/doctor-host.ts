/** What doctor is told of a host that is fit, and how to change it. */
import type { Facts, File, Known } from '../../src/doctor/facts.ts';
import type { KnownDomain } from '../../src/libvirt/libvirt.ts';
import { parsePrefix, routeKey } from '../../src/model/address.ts';
import { linkAlias } from '../../src/model/names.ts';
import { parseConfig } from '../../src/model/parse-config.ts';
import { parseDomain } from '../../src/model/parse-domain.ts';
import type { Link, Route } from '../../src/model/view.ts';
import { domainXml, uuidOf } from '../support/domain.ts';
import { gateWith } from '../support/gate.ts';
import { FACTS, uplinksFor } from '../support/uplink.ts';

export const HOOK = '/etc/libvirt/hooks/qemu';
export const PROGRAM = '/usr/lib/hnet/qemu.cjs';
const TOOLS = 'ip ss dnsmasq conntrack flock iptables-restore iptables-save ipset nft'.split(' ');
export const PROFILE = '/sys/kernel/security/apparmor/profiles';

export const file = (text: string, more: Partial<File> = {}): File => ({
  text,
  mode: 0o100755,
  owner: 0,
  since: 1000,
  isRegular: true,
  ...more,
});
/** As install.sh puts it there. */
export const hook = gateWith;
export const known = <T>(value: T): Known<T> => ({ is: 'known', value });
export const unknown = (why: string): Known<never> => ({ is: 'unknown', why });

export const link = (more: Partial<Link>): Link => ({
  index: 2,
  alias: '',
  group: 0,
  kind: '',
  mac: '',
  mtu: 1500,
  up: true,
  carrier: true,
  arp: true,
  master: undefined,
  bridge: undefined,
  port: undefined,
  ...more,
});
export const routes = (...all: readonly [string, string][]): ReadonlyMap<string, Route> =>
  new Map(
    all.map(([text, dev]) => {
      const prefix = parsePrefix(text);
      return [
        routeKey(prefix, 0),
        { prefix, type: 'unicast', dev, gateway: undefined, protocol: 'static', metric: 0 },
      ];
    }),
  );
export const domain = (xml: string): KnownDomain => ({
  domain: parseDomain(xml),
  persistent: parseDomain(xml),
  next: parseDomain(xml),
  active: false,
});
export const assigned = (name: string, address: string): string => domainXml(name, { addresses: [address] });

const FILES: Readonly<Record<string, File>> = {
  ...Object.fromEntries(TOOLS.map(tool => [`/usr/sbin/${tool}`, file('')])),
  [HOOK]: file(hook('/usr/bin/node')),
  [PROGRAM]: file(''),
  '/proc/sys/net/ipv4/ip_forward': file('1\n'),
  '/proc/sys/net/ipv4/neigh/default/gc_thresh3': file('1024\n'),
  '/proc/sys/net/ipv6/conf/all/forwarding': file('1\n'),
  '/proc/sys/net/ipv6/conf/eth0/accept_ra': file('0\n'),
  '/proc/sys/net/ipv6/neigh/default/gc_thresh3': file('1024\n'),
};
const OUTPUTS: Readonly<Record<string, string>> = {
  '/usr/bin/node --version': 'v20.19.0\n',
  'dnsmasq --version': 'Dnsmasq version 2.90  Copyright (c) 2000-2024 Simon Kelley\n',
  'ipset list -t -o xml': '<ipsets>\n</ipsets>\n',
  'nft -j list tables': '{"nftables": []}\n',
  'iptables --version': 'iptables v1.8.9 (nf_tables)\n',
  'iptables-save --version': 'iptables-save v1.8.9 (nf_tables)\n',
  'iptables-restore --version': 'iptables-restore v1.8.9 (nf_tables)\n',
  'systemctl show libvirtd.service --timestamp=unix --property=ActiveState --property=StateChangeTimestamp':
    'ActiveState=active\nStateChangeTimestamp=@1001\n',
};
export function configured(
  pools: string,
  more = '',
  backend = 'iptables',
): Pick<Facts, 'config' | 'uplinks'> {
  const config = parseConfig(`pools = [${pools}]\n${more}\n[firewall]\nbackend = "${backend}"\n`);
  return { config: known(config), uplinks: known(uplinksFor(config)) };
}

export const BOTH = '"123.45.90.112/29", "2001:db8:12:48::/64"';

export interface Change extends Partial<Omit<Facts, 'file' | 'output'>> {
  readonly files?: Readonly<Record<string, File | undefined>>;
  readonly outputs?: Readonly<Record<string, string | undefined>>;
}

/** A host that is fit, but for a change. */
export function factsOf({ files, outputs, ...rest }: Change): Facts {
  const [allFiles, allOutputs] = [
    { ...FILES, ...files },
    { ...OUTPUTS, ...outputs },
  ];
  return {
    ...configured('"123.45.90.112/29", "123.45.53.11"'),
    isRejected: false,
    configured: known([FACTS]),
    delivered: () => 'arrives',
    network: NETWORK,
    policy: { rules: [], own: [] },
    drops: new Map(),
    cluster: { self: unknown('this host is alone'), peers: [] },
    strangers: { tables: [], complete: true, carry: [] },
    unseen: [],
    unserved: [],
    domains: known([domain(assigned('vm1', '123.45.90.116')), domain(domainXml('other'))]),
    file: path => allFiles[path],
    output: (...argv) => allOutputs[argv.join(' ')] ?? '',
    ...rest,
  };
}

export const NETWORK: Facts['network'] = {
  links: new Map([
    ['eth0', link({})],
    ['br116', link({ kind: 'bridge', alias: linkAlias(uuidOf('vm1')) })],
  ]),
  addresses: new Map([
    ['eth0', ['123.45.12.48/32']],
    ['br116', ['172.30.116.1/24']],
  ]),
  routes: routes(['0.0.0.0/0', 'eth0'], ['172.30.116.0/24', 'br116']),
};
