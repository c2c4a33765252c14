import { formatLong } from '../model/address.ts';
import type { Family, Prefix } from '../model/prefix.ts';
import { type ConfigFile, comments, EVERYTHING, file } from './file.ts';
import { bare, type StaticNetwork, type StaticNic } from './network.ts';

/**
 * PowerShell, which may be run twice. Windows refuses a gateway outside of the address's subnet, so a route to it comes
 * first. It answers through the interface that has the address (the strong host model): that needs no rules.
 */
export function windows(network: StaticNetwork): ConfigFile[] {
  const blocks = network.nics.flatMap(nic => ['', ...commands(nic, network)]);
  return [file('hnet.ps1 (in PowerShell, as administrator)', ...comments(network.notes), ...blocks)];
}

function commands(nic: StaticNic, { dns, search }: StaticNetwork): string[] {
  const mac = (nic.mac ?? '').replaceAll(':', '-').toUpperCase();
  const families = nic.routes.map(({ gateway }) => gateway.family);
  return [
    `$nic = (Get-NetAdapter | Where-Object MacAddress -eq '${mac}').ifIndex`,
    ...families.flatMap(clear),
    ...(nic.mtu === undefined
      ? []
      : [...new Set(families)].map(
          family =>
            `Set-NetIPInterface -InterfaceIndex $nic -AddressFamily IPv${family} -NlMtuBytes ${nic.mtu}`,
        )),
    ...nic.addresses.map(
      address =>
        `New-NetIPAddress -InterfaceIndex $nic -IPAddress ${bare(address)} -PrefixLength ${address.length} | Out-Null`,
    ),
    ...nic.routes.flatMap(({ gateway }) => defaultRoute(gateway)),
    ...(dns.length === 0 ? [] : nameServers(dns, search)),
  ];
}

const defaultRoute = (gateway: Prefix): string[] => [
  // In a second run the route exists.
  ...(gateway.family === 4
    ? [`${route(formatLong(gateway), '0.0.0.0')} -ErrorAction SilentlyContinue | Out-Null`]
    : []),
  `${route(EVERYTHING[gateway.family], bare(gateway))} | Out-Null`,
];

const nameServers = (dns: readonly Prefix[], search: string): string[] => [
  `Set-DnsClientServerAddress -InterfaceIndex $nic -ServerAddresses ${dns.map(server => `'${bare(server)}'`).join(', ')}`,
  `Set-DnsClient -InterfaceIndex $nic -ConnectionSpecificSuffix '${search}'`,
];

/** Removes what an earlier run or the bootstrap lease left. */
function clear(family: Family): string[] {
  const which = `-InterfaceIndex $nic -AddressFamily IPv${family}`;
  const quiet = '-Confirm:$false -ErrorAction SilentlyContinue';
  const manual = "| Where-Object PrefixOrigin -eq 'Manual'";
  return [
    `Set-NetIPInterface ${which} -Dhcp Disabled${family === 6 ? ' -RouterDiscovery Disabled' : ''}`,
    `Get-NetRoute ${which} -ErrorAction SilentlyContinue | Where-Object NextHop -notin '0.0.0.0', '::' | Remove-NetRoute ${quiet}`,
    `Get-NetIPAddress ${which} -ErrorAction SilentlyContinue ${manual} | Remove-NetIPAddress ${quiet}`,
  ];
}

const route = (destination: string, hop: string): string =>
  `New-NetRoute -InterfaceIndex $nic -DestinationPrefix ${destination} -NextHop ${hop}`;
