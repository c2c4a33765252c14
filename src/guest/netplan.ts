import { formatLong } from '../model/address.ts';
import { type ConfigFile, comments, file } from './file.ts';
import { bare, type DefaultRoute, nameOf, type StaticNetwork, type StaticNic } from './network.ts';

/** Netplan's YAML (netplan.readthedocs.io). `on-link` is what lets the gateway be on no subnet of ours. */
export function netplan(network: StaticNetwork): ConfigFile[] {
  const body = ['version: 2', ...ethernets(network, false)].map(line => `  ${line}`);
  return [file('/etc/netplan/60-hnet.yaml', ...comments(network.notes), 'network:', ...body)];
}

/**
 * The part that netplan and cloud-init's version 2 share.
 * @param rename whether the interface gets the name that stands here; several of cloud-init's renderers know no other way
 */
export function ethernets(network: StaticNetwork, rename: boolean): string[] {
  const nics = network.nics.flatMap((nic, place) => ethernet(nic, place === 0 ? network : undefined, rename));
  return ['ethernets:', ...nics.map(line => `  ${line}`)];
}

function ethernet(nic: StaticNic, names: StaticNetwork | undefined, rename: boolean): string[] {
  const device = nameOf(nic, 'eth');
  const match = nic.mac === undefined ? [] : ['match:', `  macaddress: "${nic.mac}"`];
  const rules = nic.routes.flatMap(ruleLines);
  const lines = [
    ...match,
    ...(rename && nic.mac !== undefined ? [`set-name: ${device}`] : []),
    'dhcp4: false',
    'dhcp6: false',
    'accept-ra: false',
    'addresses:',
    ...nic.addresses.map(address => `  - "${formatLong(address)}"`),
    'routes:',
    ...nic.routes.flatMap(routeLines),
    ...(rules.length > 0 ? ['routing-policy:', ...rules] : []),
    ...(names === undefined ? [] : nameservers(names)),
  ];
  return [`${device}:`, ...lines.map(line => `  ${line}`)];
}

/** "default" would be shorter, but what came before netplan 0.103 and cloud-init's own parser know only this. */
const everything = { 4: '0.0.0.0/0', 6: '::/0' } as const;

const routeLines = ({ gateway, table }: DefaultRoute): string[] => [
  `  - to: "${everything[gateway.family]}"`,
  `    via: "${bare(gateway)}"`,
  '    on-link: true',
  ...(table === undefined ? [] : [`    table: ${table}`]),
];

const ruleLines = ({ table, sources }: DefaultRoute): string[] =>
  table === undefined
    ? []
    : sources.flatMap(source => [`  - from: "${formatLong(source)}"`, `    table: ${table}`]);

function nameservers({ dns, search }: StaticNetwork): string[] {
  if (dns.length === 0) return [];
  const servers = dns.map(server => `"${bare(server)}"`).join(', ');
  return ['nameservers:', `  addresses: [${servers}]`, `  search: ["${search}"]`];
}
