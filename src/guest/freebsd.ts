import { type ConfigFile, comments, file, resolvConf, sourceRoutingNotes } from './file.ts';
import { bare, interfaceName, mainGateway, ofFamily, type StaticNetwork, type StaticNic } from './network.ts';

/** rc.conf(5) of FreeBSD. */
export function freebsd(network: StaticNetwork): ConfigFile[] {
  const notes = [...network.notes, ...sourceRoutingNotes(network)];
  return [
    file(
      '/etc/rc.conf',
      ...comments(notes),
      `hostname="${network.hostname}"`,
      ...network.nics.flatMap(addresses),
      ...network.nics.flatMap(routes),
    ),
    ...resolvConf(network, '/etc/resolv.conf'),
  ];
}

function addresses(nic: StaticNic): string[] {
  const device = interfaceName(nic, 'vtnet');
  const inet = ofFamily(4, nic.addresses).map(address => `inet ${bare(address)} netmask 255.255.255.255`);
  const inet6 = ofFamily(6, nic.addresses).map(address => `inet6 ${bare(address)} prefixlen 128`);
  const mtu = nic.mtu === undefined ? '' : ` mtu ${nic.mtu}`;
  const aliases = [...inet.slice(1), ...inet6.slice(1)];
  return [
    ...inet.slice(0, 1).map(words => `ifconfig_${device}="${words}${mtu}"`),
    ...inet6.slice(0, 1).map(words => `ifconfig_${device}_ipv6="${words}${inet.length === 0 ? mtu : ''}"`),
    ...aliases.map((words, index) => `ifconfig_${device}_alias${index}="${words}"`),
  ];
}

/** Both are static routes: FreeBSD sets `defaultrouter` before those, when the gateway isn't reachable yet. */
function routes(nic: StaticNic): string[] {
  const device = interfaceName(nic, 'vtnet');
  return [
    ...mainGateway(nic, 4).flatMap(address => [
      'static_routes="gateway default"',
      `route_gateway="-host ${address} -interface ${device}"`,
      `route_default="default ${address}"`,
    ]),
    ...mainGateway(nic, 6).map(address => `ipv6_defaultrouter="${address}%${device}"`),
  ];
}
