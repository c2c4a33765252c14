import { formatLong } from '../model/address.ts';
import type { Prefix } from '../model/prefix.ts';
import { type ConfigFile, sourceRoutingNotes, yamlFile } from './file.ts';
import { ethernets } from './netplan.ts';
import { bare, interfaceName, mainGateway, perNic, type StaticNetwork, type StaticNic } from './network.ts';

/** The file's name in a NoCloud seed (docs.cloud-init.io, "NoCloud"). */
const PATH = 'network-config';
/** Version 2, for images whose cloud-init hands it to netplan: there `on-link` arrives unchanged. */
export const cloudInit = (network: StaticNetwork): ConfigFile[] => [
  yamlFile(PATH, network.notes, { version: 2, ethernets: ethernets(network, true) }),
];

/**
 * Version 1, for images whose cloud-init writes files of ifupdown, NetworkManager or the BSDs: from version 2 it
 * writes them routes that fail, because the gateway is on no subnet of ours.
 */
export function cloudInitV1(network: StaticNetwork): ConfigFile[] {
  const config = perNic(network, physical);
  return [yamlFile(PATH, [...network.notes, ...sourceRoutingNotes(network)], { version: 1, config })];
}

const physical = (nic: StaticNic, { dns, search }: StaticNetwork): object => ({
  type: 'physical',
  name: interfaceName(nic, 'eth'),
  mac_address: nic.mac ?? '',
  ...(nic.mtu !== undefined && { mtu: nic.mtu }),
  subnets: nic.addresses.map((address, index) => ({
    type: address.family === 6 ? 'static6' : 'static',
    address: formatLong(address),
    ...gatewayAt(nic, address, index),
    ...(index === 0 && dns.length > 0 && { dns_nameservers: dns.map(bare), dns_search: [search] }),
  })),
});

/** The first address of each family carries that family's gateway. */
function gatewayAt(nic: StaticNic, { family }: Prefix, index: number): object {
  const isFirst = nic.addresses.findIndex(address => address.family === family) === index;
  const [gateway] = mainGateway(nic, family);
  return isFirst && gateway !== undefined ? { gateway } : {};
}
