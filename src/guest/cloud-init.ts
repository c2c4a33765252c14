import { formatLong } from '../model/address.ts';
import { type ConfigFile, comments, file, sourceRoutingNotes } from './file.ts';
import { ethernets } from './netplan.ts';
import { bare, nameOf, type StaticNetwork, type StaticNic } from './network.ts';

/** Where a NoCloud seed has it (docs.cloud-init.io, "NoCloud"). */
const PATH = 'network-config';

/** Version 2, for images whose cloud-init hands it to netplan: there `on-link` arrives unchanged. */
export function cloudInit(network: StaticNetwork): ConfigFile[] {
  return [file(PATH, ...comments(network.notes), 'version: 2', ...ethernets(network, true))];
}

/**
 * Version 1, for images whose cloud-init writes ifupdown's, NetworkManager's or the BSDs' own files: from version 2
 * it writes them routes that a gateway on no subnet of ours makes fail.
 */
export function cloudInitV1(network: StaticNetwork): ConfigFile[] {
  const nics = network.nics.flatMap((nic, place) => physical(nic, place === 0 ? network : undefined));
  const notes = [...network.notes, ...sourceRoutingNotes(network)];
  return [file(PATH, ...comments(notes), 'version: 1', 'config:', ...nics.map(line => `  ${line}`))];
}

function physical(nic: StaticNic, names: StaticNetwork | undefined): string[] {
  const subnets = nic.addresses.flatMap((address, index) => {
    const first = nic.addresses.findIndex(({ family }) => family === address.family) === index;
    const route = nic.routes.find(
      ({ gateway, table }) => gateway.family === address.family && table === undefined,
    );
    return [
      `- type: static${address.family === 6 ? '6' : ''}`,
      `  address: "${formatLong(address)}"`,
      ...(first && route !== undefined ? [`  gateway: "${bare(route.gateway)}"`] : []),
      ...(index === 0 && names !== undefined ? nameservers(names) : []),
    ];
  });
  return [
    '- type: physical',
    `  name: ${nameOf(nic, 'eth')}`,
    `  mac_address: "${nic.mac ?? ''}"`,
    '  subnets:',
    ...subnets.map(line => `    ${line}`),
  ];
}

function nameservers({ dns, search }: StaticNetwork): string[] {
  if (dns.length === 0) return [];
  const servers = dns.map(server => `"${bare(server)}"`).join(', ');
  return [`  dns_nameservers: [${servers}]`, `  dns_search: ["${search}"]`];
}
