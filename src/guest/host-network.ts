/** The host's own uplink as pure routing wants it. */
import { USUAL_MTU } from '../model/mtu.ts';
import type { UplinkFacts } from '../model/uplink.ts';
import { type ConfigFile, type Format, file } from './file.ts';
import { ifupdown } from './ifupdown.ts';
import { netplan } from './netplan.ts';
import { type StaticNetwork, unusualMtu } from './network.ts';
import { networkd } from './networkd.ts';

/** @param facts of each family that has a default route */
export function hostNetwork(
  facts: readonly UplinkFacts[],
  names: Pick<StaticNetwork, 'hostname' | 'dns' | 'search'>,
): StaticNetwork {
  const addresses = facts.map(({ address, length, delivery }) =>
    delivery === 'routed' ? address : { ...address, length },
  );
  const mtu = unusualMtu(facts[0]?.mtu ?? USUAL_MTU);
  const routes = facts.flatMap(({ gateway }) =>
    gateway === undefined ? [] : { gateway, table: undefined, sources: [] },
  );
  return {
    ...names,
    nics: [{ interface: facts[0]?.device, index: 0, mac: undefined, mtu, addresses, routes }],
    dns: names.dns.filter(server => facts.some(({ family }) => family === server.family)),
    notes: [],
  };
}

/** systemd-networkd removes routes and rules of others: on its interfaces, or without one, as our blackhole routes. */
const KEEP_FOREIGN: ConfigFile = file(
  '/etc/systemd/networkd.conf.d/hnet.conf',
  '[Network]',
  'ManageForeignRoutes=no',
  'ManageForeignRoutingPolicyRules=no',
);

/** The host has its name servers already: we leave its resolver's file alone. */
const withoutResolver = (files: readonly ConfigFile[]): ConfigFile[] =>
  files.filter(({ path }) => !path.startsWith('/etc/resolv.conf'));

export const HOST_FORMATS: Readonly<Record<string, Format>> = {
  ifupdown: network => withoutResolver(ifupdown(network)),
  netplan: network => [...netplan(network), KEEP_FOREIGN],
  networkd: network => [...networkd(network), KEEP_FOREIGN],
};
