/** The host: versions, filter, uplinks, pools. */
import { release } from 'node:os';
import { inventory } from '../../assign/inventory.ts';
import { poolUse, type Use } from '../../assign/pools.ts';
import type { Contents } from '../../cluster/contents.ts';
import { knownPeers } from '../../cluster/peers.ts';
import { ownName } from '../../cluster/self.ts';
import { readIfThere } from '../../host/files.ts';
import type { Host } from '../../host/host.ts';
import type { KnownDomain } from '../../libvirt/libvirt.ts';
import { firewallInForce } from '../../lifecycle/in-force.ts';
import { format } from '../../model/address.ts';
import type { Config } from '../../model/config.ts';
import { hostOn, type Uplinks } from '../../model/uplink.ts';
import { ownVersion } from '../../model/version.ts';
import type { View } from '../../model/view.ts';
import { readReservations } from '../../state/reservations.ts';
import { poolShown, reservationShown } from './pools.ts';
import type { KeptBack, ShownPool, Versions } from './shapes.ts';

/** How each tool is asked, and where its version is in what it says. */
const TOOLS: Readonly<Record<string, readonly [argv: readonly string[], version: RegExp]>> = {
  nft: [['nft', '--version'], /v(\S+)/],
  iptables: [['iptables', '--version'], /v(.+)/],
  ipset: [['ipset', '--version'], /v(\d\S*),/],
  dnsmasq: [['dnsmasq', '--version'], /version (\S+)/],
  iproute2: [['ip', '-V'], /iproute2-([^\s,]+)/],
};

export function versionsOf(host: Pick<Host, 'output'>): Versions {
  const virsh = host.output(['virsh', '-q', '-c', 'qemu:///system', 'version', '--daemon']);
  const tools = Object.entries(TOOLS).map(([name, [argv, version]]) => [
    name,
    found(version, host.output(argv)),
  ]);
  return {
    hnet: ownVersion(),
    node: process.versions.node,
    system: found(/^PRETTY_NAME="?([^"\n]*)/m, readIfThere('/etc/os-release') ?? ''),
    kernel: release(),
    libvirt: found(/against daemon: (\S+)/, virsh),
    hypervisor: found(/hypervisor: (.+)/, virsh),
    tools: Object.fromEntries(tools),
  };
}

const found = (pattern: RegExp, text: string): string | null => pattern.exec(text)?.[1]?.trim() ?? null;

/** The filter, and the ways to the Internet. */
export const outside = (config: Config, uplinks: Uplinks): object => ({
  backend: firewallInForce(config).name,
  uplinks: uplinks.map(({ device, gateway, gateway6, mtu, delivery, pools, ...one }) => ({
    device,
    addresses: hostOn(one).map(format),
    gateways: [gateway, gateway6].flatMap(one => (one === undefined ? [] : [format(one)])),
    mtu,
    delivery: { ipv4: delivery[4], ipv6: delivery[6] },
    pools: pools.map(format),
  })),
});

/** The cluster that the host belongs to, and what is known of its peers; null where it is alone. */
export const clusterShown = ({ cluster }: Pick<Config, 'cluster'>): object | null =>
  cluster === undefined
    ? null
    : {
        name: cluster.name,
        host: ownName(cluster),
        wire: cluster.wire,
        peers: knownPeers(cluster).map(({ host, wire, isUp, seen }) => ({
          host,
          addresses: wire.map(format),
          isUp,
          seen,
        })),
      };

interface Network {
  readonly view: Pick<View, 'links' | 'addresses' | 'routes'>;
  readonly uplinks: Uplinks;
}

/** How the pools are used, in the whole cluster where this host has one. @param elsewhere what its other hosts hold */
export function poolUses(
  config: Pick<Config, 'pools' | 'cluster'>,
  domains: readonly KnownDomain[],
  seen: Network,
  elsewhere: Contents | undefined,
): { readonly pools: ShownPool[]; readonly keptBack: KeptBack } {
  const reservations = elsewhere?.reservations ?? readReservations();
  const taken = inventory(domains, seen, config, elsewhere);
  const uses = config.pools.map(pool => poolUse(pool, taken, seen.view.routes, reservations));
  return {
    pools: uses.map(poolShown),
    keptBack: {
      own: uses.flatMap(one => one.uses.filter(isOwn).map(ownShown)),
      reservations: reservations.map(reservationShown),
    },
  };
}

const isOwn = ({ state, reservation }: Use): boolean => state === 'reserved' && reservation === undefined;
const ownShown = ({ prefix, device, peer }: Use): KeptBack['own'][number] => ({
  address: format(prefix),
  interface: device ?? null,
  host: peer ?? null,
});
