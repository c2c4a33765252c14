/** The host's own uplink: how it is, how pure routing wants it, and where the two differ. */
import { format, formatLong } from '../model/address.ts';
import { USUAL_MTU } from '../model/mtu.ts';
import { isLinkLocal, isOfTwo } from '../model/prefix.ts';
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

/** The differences between the running uplink, in one family, and what pure routing needs; a phrase each. */
export function uplinkFaults(facts: UplinkFacts): string[] {
  const { family, device, gateway } = facts;
  // What is on the wire is looked for there, the host's neighbours too.
  const faults = facts.delivery === 'routed' ? subnetFaults(facts) : [];
  if (gateway === undefined) faults.push(`the IPv${family} default route through ${device} has no gateway`);
  if (!facts.forwarding) faults.push(`IPv${family} forwarding is off`);
  if (facts.protocol === 'ra' && facts.forwarding && facts.acceptRa !== '2')
    faults.push(
      `the IPv6 default route comes from router advertisements, which ${device} ignores while forwarding is on: set net.ipv6.conf.${device}.accept_ra=2, or make it static`,
    );
  return faults;
}

/** What keeps the host's neighbours from being looked for at the gateway. */
function subnetFaults({ family, device, address, length, gateway, onlink }: UplinkFacts): string[] {
  const faults: string[] = [];
  if (!isOfTwo({ family, length }))
    faults.push(
      `${format(address)} on ${device} has the length /${length} where /${address.length} belongs: the rest of that subnet is looked for on the wire instead of at the gateway`,
    );
  if (gateway !== undefined && !onlink && !isLinkLocal(gateway))
    faults.push(
      `the gateway ${format(gateway)} is reached by a subnet of ${device}: make it pointopoint, or its route on-link`,
    );
  return faults;
}

/** The state that {@link uplinkFaults} judges, in words. */
export function describeUplink({ device, address, length, gateway, onlink }: UplinkFacts): string {
  const via = gateway === undefined ? 'no gateway' : `gateway ${format(gateway)}${onlink ? ', on-link' : ''}`;
  return `${device}: ${formatLong({ ...address, length })}, ${via}`;
}
