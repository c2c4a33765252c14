import { formatLong } from '../model/address.ts';
import { type ConfigFile, sourceRoutingNotes, yamlFile } from './file.ts';
import { ethernets } from './netplan.ts';
import { bare, nameOf, type StaticNetwork, type StaticNic } from './network.ts';

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
  const config = network.nics.map((nic, place) => physical(nic, place === 0, network));
  return [yamlFile(PATH, [...network.notes, ...sourceRoutingNotes(network)], { version: 1, config })];
}

const physical = (nic: StaticNic, isFirst: boolean, network: StaticNetwork): object => ({
  type: 'physical',
  name: nameOf(nic, 'eth'),
  mac_address: nic.mac ?? '',
  subnets: nic.addresses.map((address, index) => ({
    type: address.family === 6 ? 'static6' : 'static',
    address: formatLong(address),
    ...gateway(nic, index),
    ...(isFirst && index === 0 && nameservers(network)),
  })),
});

/** The first address of each family carries that family's gateway. */
function gateway({ addresses, routes }: StaticNic, index: number): object {
  const family = addresses[index]?.family;
  const isFirst = addresses.findIndex(address => address.family === family) === index;
  const route = routes.find(({ gateway, table }) => gateway.family === family && table === undefined);
  return isFirst && route !== undefined ? { gateway: bare(route.gateway) } : {};
}

const nameservers = ({ dns, search }: StaticNetwork): object =>
  dns.length === 0 ? {} : { dns_nameservers: dns.map(bare), dns_search: [search] };
