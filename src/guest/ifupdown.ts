import { formatLong } from '../model/address.ts';
import { isSingle, type Prefix } from '../model/prefix.ts';
import { comments, type Format, file, resolvConf } from './file.ts';
import { bare, type DefaultRoute, interfaceName, ofFamily, perNic, type StaticNic } from './network.ts';

/** interfaces(5) of Debian and its derivatives. ifup takes the stanzas of several addresses for one interface. */
export const ifupdown: Format = network => {
  const stanzas = perNic(network, (nic, { dns, search }) => stanzasOf(nic, resolver(dns, search))).flat();
  return [
    file(
      '/etc/network/interfaces',
      ...comments(network.notes),
      'auto lo',
      'iface lo inet loopback',
      '',
      ...stanzas.flatMap(stanza => [...stanza, '']),
    ),
    ...resolvConf(network, '/etc/resolv.conf (unless resolvconf or systemd-resolved writes it)'),
  ];
};

function stanzasOf(nic: StaticNic, names: readonly string[]): string[][] {
  const device = interfaceName(nic, 'eth');
  const stanzas = nic.routes.flatMap(route => {
    const [first, ...further] = ofFamily(route.gateway.family, nic.addresses);
    if (first === undefined) return [];
    return [
      [head(device, first), ...gateway(route, first, device)],
      ...further.map(address => [head(device, address)]),
    ];
  });
  const once = [...(nic.mtu === undefined ? [] : [mtuLine(nic.mtu, device, nic)]), ...names];
  return stanzas.map((stanza, place) => (place === 0 ? [`auto ${device}`, ...stanza, ...once] : stanza));
}

/** With IPv6 alone, `mtu` would set that of IPv6 alone, and before the interface comes up, which sets it back. */
const mtuLine = (mtu: number, device: string, { addresses }: StaticNic): string =>
  ofFamily(4, addresses).length > 0 ? `    mtu ${mtu}` : `    pre-up ip link set dev ${device} mtu ${mtu}`;

const head = (device: string, address: Prefix): string =>
  `iface ${device} inet${address.family === 6 ? '6' : ''} static\n    address ${formatLong(address)}`;

function gateway({ gateway, table, sources }: DefaultRoute, own: Prefix, device: string): string[] {
  const address = bare(gateway);
  if (table === undefined) {
    // Tells the kernel that the gateway is at the other end of the wire.
    const peer = gateway.family === 4 && isSingle(own) ? [`    pointopoint ${address}`] : [];
    return [...peer, `    gateway ${address}`];
  }
  const ip = gateway.family === 6 ? 'ip -6' : 'ip';
  const rules = sources.map(source => `from ${formatLong(source)} table ${table}`);
  return [
    `    up ${ip} route replace default via ${address} dev ${device} onlink table ${table}`,
    ...rules.map(rule => `    up ${ip} rule add ${rule}`),
    ...rules.map(rule => `    down ${ip} rule del ${rule}`),
  ];
}

const resolver = (dns: readonly Prefix[], search: string): string[] =>
  dns.length === 0 ? [] : [`    dns-nameservers ${dns.map(bare).join(' ')}`, `    dns-search ${search}`];
