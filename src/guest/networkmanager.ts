import { formatLong } from '../model/address.ts';
import type { Family } from '../model/prefix.ts';
import { type ConfigFile, comments, file } from './file.ts';
import { bare, interfaceName, ofFamily, perNic, type StaticNetwork, type StaticNic } from './network.ts';

const FOLDER = '/etc/NetworkManager/system-connections';

/** Keyfiles (nm-settings-keyfile(5)). NetworkManager adds the route to a gateway outside of the subnet by itself. */
export function networkmanager(network: StaticNetwork): ConfigFile[] {
  return perNic(network, (nic, own) => {
    const device = interfaceName(nic, 'eth');
    return file(
      `${FOLDER}/hnet-${device}.nmconnection`,
      ...comments(own.notes),
      // It ignores files that others than root may read.
      '# chmod 600, then: nmcli connection reload',
      '[connection]',
      `id=hnet-${device}`,
      'type=ethernet',
      // This profile wins over one that the installer left.
      'autoconnect-priority=100',
      '',
      '[ethernet]',
      `mac-address=${nic.mac ?? ''}`,
      ...(nic.mtu === undefined ? [] : [`mtu=${nic.mtu}`]),
      '',
      ...family(4, nic, own),
      '',
      ...family(6, nic, own),
    );
  });
}

function family(family: Family, nic: StaticNic, names: StaticNetwork): string[] {
  const route = nic.routes.find(({ gateway }) => gateway.family === family);
  if (route === undefined)
    return family === 4 ? ['[ipv4]', 'method=disabled'] : ['[ipv6]', 'method=link-local'];
  const { gateway, table, sources } = route;
  const dns = ofFamily(family, names.dns);
  const rules = sources.map(
    (source, index) => `routing-rule${index + 1}=priority 100 from ${formatLong(source)} table ${table}`,
  );
  return [
    `[ipv${family}]`,
    'method=manual',
    ...ofFamily(family, nic.addresses).map((address, index) => `address${index + 1}=${formatLong(address)}`),
    `gateway=${bare(gateway)}`,
    ...(table === undefined ? [] : [`route-table=${table}`, ...rules]),
    ...(dns.length === 0
      ? []
      : [`dns=${dns.map(server => `${bare(server)};`).join('')}`, `dns-search=${names.search};`]),
  ];
}
