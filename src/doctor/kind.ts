/** Finds out which kind of host this is (docs/providers.md), before there is a configuration. */
import { vacancy } from '../assign/allocate.ts';
import type { Context } from '../host/context.ts';
import type { Host } from '../host/host.ts';
import { observeUplinks } from '../host/observe/uplink.ts';
import { readNetwork } from '../host/observe/view.ts';
import { format, parseSubnet } from '../model/address.ts';
import type { Delivery, UplinkSettings } from '../model/config.ts';
import type { FirstWay } from '../model/config-text.ts';
import { hostAddresses } from '../model/host-address.ts';
import { aliasOwner } from '../model/names.ts';
import { type Family, isSingle, overlaps, type Prefix } from '../model/prefix.ts';
import { Refusal } from '../model/refusal.ts';
import { gatewayIn, ownAddresses, type Uplink, type Uplinks } from '../model/uplink.ts';
import type { View } from '../model/view.ts';
import { askDelivery, candidatesIn, devicesBeside, subnetAround } from './ask-delivery.ts';

/** What only a person can know; each gives undefined where nobody is asked, or the answer is empty. */
export interface Person {
  readonly uplink: (devices: readonly string[]) => string | undefined;
  readonly gateway: (device: string, pools: readonly Prefix[]) => Prefix | undefined;
  readonly delivery: (device: string, pools: readonly Prefix[]) => Delivery | undefined;
}

interface Kind {
  readonly main: FirstWay;
  readonly further: readonly FirstWay[];
  /** The host's own addresses on the uplinks, and its gateways. */
  readonly own: readonly Prefix[];
}

interface Ground extends Pick<Context, 'host' | 'progress'> {
  readonly network: Network;
  readonly person: Person;
  readonly uplinks: Uplinks | undefined;
}
type Network = Pick<View, 'links' | 'addresses'>;

/** By which interfaces pools come, and how. The host is looked at first, then the wire is asked, then the person. */
export function findKind(
  pools: readonly Prefix[],
  { host, progress }: Pick<Context, 'host' | 'progress'>,
  person: Person,
): Kind {
  progress('looking for the uplinks');
  const network = readNetwork(host);
  const devices = defaultDevices(pools, host) ?? told(person.uplink(candidates(network)));
  const homes = homesOf(pools, devices, network);
  const main = settingsOf(
    devices,
    pools.filter(pool => !homes.has(pool)),
  );
  const further = [...new Set(homes.values())].map(device =>
    settingsOf(
      [device],
      pools.filter(pool => homes.get(pool) === device),
    ),
  );
  const uplinks = devices.length === 0 ? undefined : look([main, ...further], host);
  const ground = { host, progress, network, person, uplinks };
  return {
    main: toWay(main, 0, ground),
    further: further.map((one, index) => toWay(one, index + 1, ground)),
    own: ownAddresses(uplinks ?? []),
  };
}

const told = (answer: string | undefined): string[] => (answer === undefined ? [] : [answer]);

/** The interfaces of the default route; undefined if there is none. */
const defaultDevices = (pools: readonly Prefix[], host: Host): readonly string[] | undefined =>
  look([settingsOf([], pools)], host)?.map(({ device }) => device);

/** What the host says of uplinks; undefined if nothing leads to the Internet. */
function look(uplinks: readonly [UplinkSettings, ...UplinkSettings[]], host: Host): Uplinks | undefined {
  try {
    return observeUplinks(host, { uplinks, inForce: [], fault: (_path, _value, why) => new Refusal(why) });
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

const settingsOf = (devices: readonly string[], pools: readonly Prefix[]): UplinkSettings => ({
  path: [],
  devices,
  addresses: [],
  gateways: [],
  pools,
  delivery: { 4: 'routed', 6: 'routed' },
  mtu: undefined,
});

/** Interfaces that may lead to the Internet: no bridge of containers or VMs, and no VM's. */
const candidates = ({ links }: Network): string[] =>
  [...links].flatMap(([name, { kind, alias, master }]) => {
    const isInner = name === 'lo' || kind === 'bridge' || kind === 'tun' || master !== undefined;
    return isInner || aliasOwner(alias) !== undefined ? [] : [name];
  });

/** Pools that lie on the subnet of another interface than the main uplink's: a VLAN's, or a second card's. */
function homesOf(
  pools: readonly Prefix[],
  main: readonly string[],
  network: Network,
): ReadonlyMap<Prefix, string> {
  const others = candidates(network).filter(name => !main.includes(name));
  const isOn = (pool: Prefix, device: string): boolean =>
    (network.addresses.get(device) ?? [])
      .map(parseSubnet)
      .some(subnet => !isSingle(subnet) && overlaps(subnet, pool));
  return new Map(
    pools.flatMap(pool => {
      const device = others.find(one => isOn(pool, one));
      return device === undefined ? [] : [[pool, device] as const];
    }),
  );
}

function toWay({ devices, pools }: UplinkSettings, place: number, ground: Ground): FirstWay {
  const uplink = ground.uplinks?.find(({ way }) => way === place);
  const found = uplink?.gateway;
  const gateway = place === 0 ? found : (found ?? ground.person.gateway(devices.join(', '), pools));
  const deliveryIn = (family: Family): Delivery | undefined =>
    uplink && deliveryBy(family, { ...uplink, gateway }, ground);
  return { devices, host: uplink?.host, gateway, pools, delivery: { 4: deliveryIn(4), 6: deliveryIn(6) } };
}

/** How the provider hands over the pools of a family; undefined if neither the wire nor a person tells. */
function deliveryBy(family: Family, uplink: Uplink, ground: Ground): Delivery | undefined {
  const { device } = uplink;
  const { network, host, person, progress } = ground;
  const pools = uplink.pools.filter(pool => pool.family === family);
  if (pools.length === 0) return undefined;
  // Nobody looks for an address on a tunnel.
  if (network.links.get(device)?.arp === false) return 'routed';
  const gateway = gatewayIn(family, uplink);
  const isFree = vacancy({
    holdings: [],
    own: ownAddresses(ground.uplinks ?? [uplink]),
    host: hostAddresses(network),
    peers: [],
  });
  const seen = pools.map(pool => {
    const address = candidatesIn(pool).find(isFree);
    progress(`asking the gateway of ${device} how ${format(pool)} comes here`);
    return (
      address && gateway && askDelivery(host, address, gateway, devicesBeside(uplink, ground.uplinks ?? []))
    );
  });
  // An address that is answered for, and routed nevertheless, is no trouble.
  if (seen.includes('sought')) return 'on-link';
  if (seen.every(one => one === 'arrives')) return 'routed';
  const isNear = pools.some(pool => subnetAround(pool, network.addresses.get(device) ?? []) !== undefined);
  return isNear ? 'on-link' : person.delivery(device, pools);
}
