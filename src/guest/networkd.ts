import { formatLong } from '../model/address.ts';
import { type ConfigFile, comments, file } from './file.ts';
import { bare, type DefaultRoute, nameOf, type StaticNetwork, type StaticNic } from './network.ts';

/** systemd.network(5), one file per interface. */
export function networkd(network: StaticNetwork): ConfigFile[] {
  return network.nics.map((nic, place) => {
    const device = nameOf(nic, 'eth');
    return file(
      `/etc/systemd/network/10-hnet-${device}.network`,
      ...comments(place === 0 ? network.notes : []),
      '[Match]',
      nic.mac === undefined ? `Name=${device}` : `MACAddress=${nic.mac}`,
      '',
      ...section(nic, place === 0 ? network : undefined),
      ...nic.routes.flatMap(routing),
    );
  });
}

function section(nic: StaticNic, names: StaticNetwork | undefined): string[] {
  return [
    '[Network]',
    'DHCP=no',
    'IPv6AcceptRA=no',
    ...nic.addresses.map(address => `Address=${formatLong(address)}`),
    ...(names?.dns ?? []).map(server => `DNS=${bare(server)}`),
    ...(names === undefined || names.dns.length === 0 ? [] : [`Domains=${names.search}`]),
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
