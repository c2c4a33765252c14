import { formatLong } from '../model/address.ts';
import { type ConfigFile, comments, file } from './file.ts';
import {
  bare,
  type DefaultRoute,
  interfaceName,
  perNic,
  type StaticNetwork,
  type StaticNic,
} from './network.ts';

/** systemd.network(5), one file per interface. */
export function networkd(network: StaticNetwork): ConfigFile[] {
  return perNic(network, (nic, own) => {
    const device = interfaceName(nic, 'eth');
    return file(
      `/etc/systemd/network/10-hnet-${device}.network`,
      ...comments(own.notes),
      '[Match]',
      nic.mac === undefined ? `Name=${device}` : `MACAddress=${nic.mac}`,
      '',
      ...(nic.mtu === undefined ? [] : ['[Link]', `MTUBytes=${nic.mtu}`, '']),
      ...section(nic, own),
      ...nic.routes.flatMap(routing),
    );
  });
}

function section(nic: StaticNic, { dns, search }: StaticNetwork): string[] {
  return [
    '[Network]',
    'DHCP=no',
    'IPv6AcceptRA=no',
    ...nic.addresses.map(address => `Address=${formatLong(address)}`),
    ...dns.map(server => `DNS=${bare(server)}`),
    ...(dns.length === 0 ? [] : [`Domains=${search}`]),
  ];
}

function routing({ gateway, table, sources }: DefaultRoute): string[] {
  const route = ['', '[Route]', `Gateway=${bare(gateway)}`, 'GatewayOnLink=yes'];
  if (table === undefined) return route;
  const rules = sources.flatMap(source => [
    '',
    '[RoutingPolicyRule]',
    `From=${formatLong(source)}`,
    `Table=${table}`,
  ]);
  return [...route, `Table=${table}`, ...rules];
}
