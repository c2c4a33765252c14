import { formatLong } from '../model/address.ts';
import { type ConfigFile, EVERYTHING, yamlFile } from './file.ts';
import {
  bare,
  type DefaultRoute,
  interfaceName,
  perNic,
  type StaticNetwork,
  type StaticNic,
} from './network.ts';

/** Netplan's YAML (netplan.readthedocs.io). `on-link` is what lets the gateway be on no subnet of ours. */
export function netplan(network: StaticNetwork): ConfigFile[] {
  const body = { version: 2, ethernets: ethernets(network, false) };
  return [yamlFile('/etc/netplan/60-hnet.yaml', network.notes, { network: body })];
}

/** @param rename whether `set-name` gives an interface its name: several renderers of cloud-init need it */
export const ethernets = (network: StaticNetwork, rename: boolean): object =>
  Object.fromEntries(
    perNic(network, (nic, own) => [interfaceName(nic, 'eth'), ethernet(nic, own, rename)] as const),
  );

function ethernet(nic: StaticNic, { dns, search }: StaticNetwork, rename: boolean): object {
  const rules = nic.routes.flatMap(toRules);
  return {
    ...(nic.mac !== undefined && { match: { macaddress: nic.mac } }),
    ...(nic.mac !== undefined && rename && { 'set-name': interfaceName(nic, 'eth') }),
    ...(nic.mtu !== undefined && { mtu: nic.mtu }),
    dhcp4: false,
    dhcp6: false,
    'accept-ra': false,
    addresses: nic.addresses.map(formatLong),
    routes: nic.routes.map(toRoute),
    ...(rules.length > 0 && { 'routing-policy': rules }),
    ...(dns.length > 0 && { nameservers: { addresses: dns.map(bare), search: [search] } }),
  };
}

const toRoute = ({ gateway, table }: DefaultRoute): object => ({
  to: EVERYTHING[gateway.family],
  via: bare(gateway),
  'on-link': true,
  ...(table !== undefined && { table }),
});

const toRules = ({ table, sources }: DefaultRoute): object[] =>
  table === undefined ? [] : sources.map(source => ({ from: formatLong(source), table }));
