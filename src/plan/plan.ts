import { passages } from '../firewall/foreign/passages.ts';
import { budgets } from '../firewall/nftables/budgets.ts';
import type { Firewall } from '../firewall/rules/backend.ts';
import { domainFilter } from '../firewall/rules/guarded.ts';
import { portForwards } from '../firewall/rules/port-forwards.ts';
import {
  type Address,
  type BridgeSpec,
  bridgesOf,
  hasIpv6,
  isLookedFor,
  isPrivate,
  type Taps,
} from '../model/bridge.ts';
import type { Config, DhcpConfig } from '../model/config.ts';
import type { OwnDhcp } from '../model/dhcp-mode.ts';
import { refuseHostInRanges } from '../model/fit.ts';
import type { Forward } from '../model/forward.ts';
import { hostName } from '../model/hostname.ts';
import { isHere, type MoveState } from '../model/move.ts';
import { narrowed, USUAL_MTU } from '../model/mtu.ts';
import type { Policy } from '../model/policy.ts';
import { contains, FAMILIES, isAmong, nth, type Prefix } from '../model/prefix.ts';
import { gatewaysWithin, ownAddresses, type Uplinks } from '../model/uplink.ts';
import { bridge, gatewayAddress, gatewayAnswer, ipv6Addresses, peerAnswers } from '../resources/bridge.ts';
import { bridgePort } from '../resources/bridge-port.ts';
import { bridgeSysctls } from '../resources/bridge-switches.ts';
import { clusterFile } from '../resources/cluster-file.ts';
import { uplinkRules } from '../resources/detour.ts';
import { dhcpScope } from '../resources/dhcp.ts';
import type { DhcpService } from '../resources/dhcp-config.ts';
import { asymmetry, forwarding, proxying } from '../resources/forwarding.ts';
import { awaitedNeighbours, neighbourProxies } from '../resources/neighbour.ts';
import type { Resource } from '../resources/resource.ts';
import { gatewayRoute, hostRoute, poolRoute } from '../resources/route.ts';
import { uplinkFile } from '../resources/uplink-file.ts';

/** What a domain's plan is made from. */
export interface Wanted extends OwnDhcp {
  readonly domain: string;
  /** The domain's name; its leases carry it, made safe. */
  readonly name?: string;
  readonly addresses: readonly Address[];
  readonly policy: Policy;
  readonly forwards?: readonly Forward[];
  /** Addresses that another domain has taken over, and with them the filter's entries. */
  readonly takenOver?: readonly Prefix[];
  /** Whether it runs, and gets its first rules now; see `hnet-outbound` in chains-filter.ts. */
  readonly underway?: boolean;
  /** The host's IPv4 address, which static guests have as their gateway; undefined where it has none, or sets nothing up. */
  readonly gateway?: Prefix;
  /** Those of the other hosts of a cluster, which guests that came from there have; undefined where the host is alone. */
  readonly peers?: readonly Prefix[] | undefined;
  /** The MTU of a bridge with some addresses, in bytes; and of those bridges whose interfaces have a smaller one. */
  readonly mtuFor?: (prefixes: readonly Prefix[]) => number;
  readonly mtus?: ReadonlyMap<string, number>;
  /** Where it is on its way between hosts; undefined: it is here. */
  readonly state?: MoveState;
  /** Bridge → the MACs on it, to which public leases are bound. */
  readonly macs?: ReadonlyMap<string, readonly string[]>;
  /** Of a running domain; empty before a start, when libvirt plugs them in itself. */
  readonly taps?: Taps;
}

/**
 * Everything a domain needs while it runs, in the order in which it comes up. The filter is there before the route that
 * brings the first packet, and backward goes after it. What `ip` does is kept together, for one process. IPv6 is switched
 * on before its routes come.
 */
export function domainPlan(wanted: Wanted, dhcp: DhcpConfig, firewall: Firewall): Resource[] {
  const { domain, policy, underway = false, takenOver = [] } = wanted;
  const bridges = bridgesOf(domain, wanted.addresses);
  const scopes = bridges.map(({ scope }) => scope);
  // What lies in a scope is filtered as that: it is tracked and translated, and counted nowhere.
  const own = wanted.addresses.filter(one => !isAmong(takenOver, one.prefix) && !isPrivate(one));
  const addresses = own.map(({ prefix }) => prefix);
  const subnets = own.filter(isLookedFor).map(({ prefix }) => prefix);
  return [
    ...domainFilter({ domain, addresses, subnets, scopes, policy, underway }, firewall),
    ...portForwards(wanted, firewall),
    ...bridges.map(spec => bridge(spec, mtuOf(spec, wanted))),
    ...bridges.map(gatewayAddress),
    ...bridges.flatMap(spec => gatewayAnswers(spec, wanted)),
    ...bridges.filter(hasIpv6).flatMap(spec => [bridgeSysctls(spec), ...ipv6Addresses(spec)]),
    // A next hop comes before what is routed by it.
    ...wanted.addresses
      .toSorted((a, b) => Number(a.via !== undefined) - Number(b.via !== undefined))
      .map(one => hostRoute(one, wanted.state)),
    ...neighbours(wanted),
    ...bridges.flatMap(spec => ports(spec, wanted)),
    ...bridges.filter(spec => !hasIpv6(spec)).map(bridgeSysctls),
    ...bridges.map(spec => dhcpScope(spec, serviceOf(spec, wanted, dhcp), dhcp)),
  ];
}

const mtuOf = ({ name, prefixes }: BridgeSpec, { mtuFor, mtus }: Wanted): number =>
  narrowed(mtuFor?.(prefixes) ?? USUAL_MTU, mtus?.get(name));

const ports = (spec: BridgeSpec, wanted: Wanted): Resource[] =>
  (wanted.taps?.get(spec.name) ?? []).map(tap => bridgePort(spec.name, tap, mtuOf(spec, wanted)));

function gatewayAnswers({ name, prefixes }: BridgeSpec, { gateway, peers }: Wanted): Resource[] {
  if (prefixes.every(({ family }) => family !== 4)) return [];
  return [
    ...(gateway === undefined ? [] : [gatewayAnswer(name, gateway)]),
    ...(peers === undefined ? [] : [peerAnswers(name, peers)]),
  ];
}

/**
 * Who is asked for a domain's addresses, and by whom: while it isn't here, the host answers for it on no wire. For one that
 * is about to come, packets wait at its interface, so nobody need ask for it.
 */
export const neighbours = ({ addresses, macs, state }: Pick<Wanted, 'addresses' | 'macs' | 'state'>) => [
  ...(isHere(state) ? bridgesIn(addresses).flatMap(name => proxies(name, addresses)) : []),
  ...(state === 'incoming' ? addresses.flatMap(one => awaitedNeighbours(one, macs?.get(one.bridge))) : []),
];

const bridgesIn = (addresses: readonly Address[]): string[] => [
  ...new Set(addresses.map(({ bridge: name }) => name)),
];

function proxies(name: string, addresses: readonly Address[]): Resource[] {
  const own = addresses.filter(({ bridge: one }) => one === name);
  const wires = new Set(own.flatMap(({ wire }) => wire ?? []));
  return [...wires].flatMap(device =>
    neighbourProxies(
      name,
      own.filter(({ wire }) => wire === device).map(({ prefix }) => prefix),
      device,
    ),
  );
}

/** What the server of one bridge hands out; of an IPv4 subnet the first address. */
function serviceOf(spec: BridgeSpec, wanted: Wanted, dhcp: DhcpConfig): DhcpService {
  const { domain, name, macs } = wanted;
  return {
    mode: wanted.dhcp ?? dhcp.mode,
    hasIpv4: wanted.gateway !== undefined,
    boot: wanted.boot,
    hostname: hostName(name ?? '', domain).label,
    addresses: spec.prefixes
      .filter(one => one.family === 4 && !contains(spec.scope, one))
      .map(prefix => nth(prefix, 0n)),
    privates: spec.prefixes.filter(one => contains(spec.scope, one)),
    prefixes6: spec.prefixes.filter(({ family }) => family === 6),
    macs: macs?.get(spec.name) ?? [],
    mtu: mtuOf(spec, wanted),
  };
}

/**
 * What exists on the host as long as hnet is installed, whether a domain runs or not.
 * @throws Refusal for a configuration that would cut off the host
 */
export function basePlan(config: Config, uplinks: Uplinks, firewall: Firewall): Resource[] {
  refuseHostInRanges(config, ownAddresses(uplinks));
  return [
    ...firewall.families.flatMap(family => waysOf(config, uplinks).map(device => forwarding(family, device))),
    ...(config.cluster === undefined ? [] : [asymmetry(config.cluster.wire)]),
    ...uplinks.flatMap(({ device, delivery }) =>
      FAMILIES.filter(family => delivery[family] === 'on-link').map(family => proxying(family, device)),
    ),
    ...firewall.base(config, uplinks),
    ...budgets(config),
    ...passages(config, uplinks, firewall),
    ...baseRoutes(config, uplinks),
    ...FAMILIES.map(family => uplinkRules(family, config, uplinks)),
    uplinkFile(uplinks, firewall.name),
    ...(config.cluster === undefined ? [] : [clusterFile(config.cluster)]),
  ];
}

/** The interfaces by which packets come from outside of this host, the wire of a cluster with them. */
const waysOf = ({ cluster }: Config, uplinks: Uplinks): string[] => [
  ...new Set([...uplinks.map(({ device }) => device), ...(cluster === undefined ? [] : [cluster.wire])]),
];

/**
 * The pools' routes, and those to gateways inside of a pool: otherwise the host could neither answer them, nor get a new
 * default route, because the kernel takes no gateway that it can't reach.
 */
export const baseRoutes = ({ pools }: Pick<Config, 'pools'>, uplinks: Uplinks): Resource[] => [
  ...gatewaysWithin(pools, uplinks).map(gatewayRoute),
  ...pools.map(poolRoute),
];
