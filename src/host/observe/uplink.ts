/** Reads where the Internet is. */
import { parseInterfaceAddress, parsePrefix } from '../../model/address.ts';
import type { Config } from '../../model/config.ts';
import { USUAL_MTU } from '../../model/mtu.ts';
import { FAMILIES, type Family, type Prefix } from '../../model/prefix.ts';
import { Refusal } from '../../model/refusal.ts';
import type { Uplink, Uplinks, Way } from '../../model/uplink.ts';
import type { View } from '../../model/view.ts';
import { namesIn } from '../files.ts';
import type { Host } from '../host.ts';
import { type Answer, type Answers, about, allFound, listIn } from '../query.ts';
import { devicesOf, firstRoute, type RouteAnswer, toRouteAnswers } from './ip.ts';
import { mtuThrough } from './mtu.ts';

/**
 * Addresses that follow the default route; nothing is sent to them. 192.0.2.1 (RFC 5737) is nobody's, but a careful
 * host blackholes its network: then the other one tells. They lie in the two halves that some VPNs route by themselves
 * instead of everything. 2000::1 isn't given out yet.
 */
export const FAR_AWAY: Readonly<Record<Family, readonly string[]>> = {
  4: ['192.0.2.1', '9.9.9.9'],
  6: ['2000::1'],
};

/** What the configuration says of the uplinks, and what stands; the rest is read from the routes by those interfaces. */
export type UplinkConfig = Pick<Config, 'uplinks' | 'inForce' | 'fault'>;

/** A question about the Internet, asked of one uplink. */
interface Question {
  readonly device: string;
  readonly family: Family;
  readonly address: string;
}

/**
 * Which routes lead out of the interfaces that are known to be uplinks, whatever rule or better route stands before them.
 * Where none does, the kernel supposes that the address is on the wire, and names no table.
 */
export const uplinkQueries = (ways: readonly Way[]) => ({
  used: about(
    ways.flatMap(({ device }) =>
      FAMILIES.flatMap(family => FAR_AWAY[family].map((address): Question => ({ device, family, address }))),
    ),
    ({ address, device }) => `route get ${address} oif ${device}`,
  ),
});

const pathsOf = (family: Family) =>
  about(
    FAR_AWAY[family].flatMap(address => [address, `fibmatch ${address}`]),
    words => `route get ${words}`,
  );
/**
 * Where the host's own packets go. Of several next hops of a route a packet takes one, by its two ends: `fibmatch` names all
 * of them (but not where net.ipv4.nexthop_compat_mode is 0). A start doesn't ask.
 */
export const pathQueries = { path4: pathsOf(4), path6: pathsOf(6) };

type UplinkAnswers = Answers<ReturnType<typeof uplinkQueries>>;
type PathAnswers = Answers<typeof pathQueries>;

/**
 * The interfaces that are uplinks, those of the main way first: what the configuration says, else those of the filter that
 * stands. Only where there is neither they are those of the main table's default route, and not where a VPN leads the
 * host's own packets.
 * @throws Refusal if the main way can't be found
 */
export function findWays(host: Host, { uplinks, inForce }: UplinkConfig): readonly [Way, ...Way[]] {
  const named = uplinks.flatMap(({ devices }) => devices);
  const [{ devices: told, pools: own }] = uplinks;
  const standing = inForce.map(({ device }) => device).filter(device => !named.includes(device));
  const main =
    [told, standing].find(one => one.length > 0) ?? defaultDevices(host, named, !own.some(needsIpv4));
  const ways = uplinks.flatMap(({ devices, pools, delivery }, way) =>
    (way === 0 ? main : devices).map(device => ({ device, pools, delivery, way })),
  );
  const [first, ...others] = ways;
  if (first === undefined || main.length === 0) throw new Refusal(NOWHERE);
  return [first, ...others];
}

const NOWHERE =
  'Cannot find the uplink: there is no default route; set uplink, host and gateway in hnet.toml';
const needsIpv4 = ({ family }: Prefix): boolean => family === 4;

/** The interfaces of the best default route; of IPv6's, where IPv4 has none and needs none. */
function defaultDevices(host: Host, named: readonly string[], isSixEnough: boolean): readonly string[] {
  const { defaults, plain } = host.query({
    defaults: 'route show table main default',
    plain: about(FAR_AWAY[4], address => `route get ${address}`),
  });
  const best = (routes: readonly RouteAnswer[]): readonly string[] => {
    const gatewayed = routes.filter(({ gateway, nexthops }) => gateway !== undefined || nexthops.length > 0);
    const [first] = gatewayed.toSorted((a, b) => a.metric - b.metric);
    return by(first).filter(device => !named.includes(device));
  };
  const ipv4 = [best(toRouteAnswers(defaults.found)), by(defaultRoute(plain))];
  const found = ipv4.find(devices => devices.length > 0);
  if (found !== undefined || !isSixEnough) return found ?? [];
  return best(toRouteAnswers(listIn(host.output(DEFAULT6) || '[]')));
}

/** One `ip` lists the routes of one family only. */
const DEFAULT6 = ['ip', '-6', '-json', '-details', 'route', 'show', 'table', 'main', 'default'];

const by = (route: RouteAnswer | undefined): readonly string[] =>
  route === undefined ? [] : devicesOf(route);

/** The uplinks by themselves, for what touches no domain. @throws Refusal as {@link findWays} and {@link readUplinks} */
export function observeUplinks(host: Host, given: UplinkConfig): Uplinks {
  const ways = findWays(host, given);
  const answers = host.query({ ...uplinkQueries(ways), ...pathQueries });
  return readUplinks(host, given, ways, answers, answers);
}

/**
 * @param paths where the host's own packets go, if that was asked
 * @throws Refusal if the configuration names an interface that can't be an uplink, or nothing says where the main one leads
 */
export function readUplinks(
  host: Host,
  given: UplinkConfig,
  ways: readonly [Way, ...Way[]],
  { used }: UplinkAnswers,
  paths?: PathAnswers,
): Uplinks {
  const [main, ...others] = ways;
  const read = (way: Way): Uplink =>
    readUplink(way, given, used, paths && bypassedBy(ways, way, paths), host);
  const first = read(main);
  if (!first.awaited && first.host === undefined && (first.host6.length === 0 || main.pools.some(needsIpv4)))
    throw new Refusal(NOWHERE);
  return [first, ...others.map(read)];
}

function readUplink(
  way: Way,
  given: UplinkConfig,
  used: UplinkAnswers['used'],
  bypassed: readonly Family[] | undefined,
  host: Host,
): Uplink {
  const { device } = way;
  const isMain = way.way === 0;
  const routesIn = (family: Family): RouteAnswer[] =>
    [...used].flatMap(([one, answer]) =>
      one.device === device && one.family === family ? toRouteAnswers(answer.found) : [],
    );
  const [all4, all6] = [routesIn(4), routesIn(6)];
  const [route4, route6] = [leading(all4), leading(all6)];
  const leads = route4 !== undefined || route6 !== undefined;
  if (!isMain) refuseUnknown(way, given);
  const awaited = isMain && !leads && isAwaited(device, given, host);
  // No default route leads out of another uplink. The kernel tells the host's address there all the same.
  const [own4, own6] = [isMain ? route4 : (route4 ?? all4[0]), isMain ? route6 : (route6 ?? all6[0])];
  return {
    ...way,
    ...readAround({ device, route4, route6, own4, own6 }, given, given.uplinks[way.way]),
    bypassed,
    ...(awaited && { awaited }),
  };
}

/** The routes by an uplink: those that lead out, and those that tell the host's own addresses. */
interface OwnRoutes extends Pick<Way, 'device'> {
  readonly route4: RouteAnswer | undefined;
  readonly route6: RouteAnswer | undefined;
  readonly own4: RouteAnswer | undefined;
  readonly own6: RouteAnswer | undefined;
}

/** What is at both ends of an uplink: by the configuration, else by the kernel, else as it stood. */
function readAround(
  { device, route4, route6, own4, own6 }: OwnRoutes,
  { inForce }: Pick<UplinkConfig, 'inForce'>,
  settings: UplinkConfig['uplinks'][number] | undefined,
): Pick<Uplink, 'host' | 'gateway' | 'host6' | 'gateway6' | 'mtu'> {
  // An interface that is down or gone has no routes: then what stands is right until it is back.
  const stands = inForce.find(one => one.device === device);
  const say = (family: Family, told: readonly Prefix[] | undefined): Prefix | undefined =>
    told?.find(one => one.family === family);
  const addresses = settings?.addresses;
  const gateways = settings?.gateways;
  const host6 = say(6, addresses) ?? readPrefix(own6?.prefsrc);
  return {
    host: say(4, addresses) ?? readPrefix(own4?.prefsrc) ?? stands?.host,
    gateway: say(4, gateways) ?? readPrefix(route4?.gateway) ?? (route4 ? undefined : stands?.gateway),
    host6: host6 === undefined ? [] : [host6],
    gateway6: say(6, gateways) ?? readPrefix(route6?.gateway) ?? (route6 ? undefined : stands?.gateway6),
    mtu: settings?.mtu ?? mtuThrough(device, [own4, own6]) ?? stands?.mtu ?? USUAL_MTU,
  };
}

/** A further way has its pools' packets for itself, and the default route is the main one's. */
function bypassedBy(ways: readonly Way[], { way, pools }: Way, paths: PathAnswers): readonly Family[] {
  if (way > 0) return FAMILIES.filter(family => pools.some(pool => pool.family === family));
  const devices = ways.filter(one => one.way === 0).map(({ device }) => device);
  const found = { 4: paths.path4, 6: paths.path6 };
  return FAMILIES.filter(family => isElsewhere(found[family], devices));
}

/** The route that a table holds. */
const leading = (routes: readonly RouteAnswer[]): RouteAnswer | undefined =>
  routes.find(({ table }) => table !== undefined);

const isElsewhere = (answers: ReadonlyMap<string, Answer>, devices: readonly string[]): boolean =>
  leadsElsewhere(answers, devices) || isForbidden(answers);

/**
 * Whether everything is dropped on purpose, as by a VPN that is down and has a route of type unreachable, blackhole or
 * prohibit in its table. A host without any route has another error.
 */
const isForbidden = (answers: ReadonlyMap<string, Answer>): boolean =>
  [...answers.values()].every(({ failure }) => failure !== undefined && !NO_ROUTE.test(failure));
const NO_ROUTE = /Network is unreachable/;

const leadsElsewhere = (answers: ReadonlyMap<string, Answer>, devices: readonly string[]): boolean =>
  toRouteAnswers(allFound(answers)).some(route => devicesOf(route).some(device => !devices.includes(device)));

/**
 * Whether nothing tells that an interface out of which no route leads is the wrong one: nothing else leads to the Internet
 * either. So it is at a boot that the network is late for, and domains that didn't start then would stay down.
 * @throws Refusal otherwise, if it is new as the uplink: all domains would be cut off
 */
function isAwaited(device: string, { uplinks, inForce, fault }: UplinkConfig, host: Host): boolean {
  const standing = inForce.find(one => one.device === device);
  if (standing !== undefined && !standing.awaited) return false;
  if (!isOnline(host)) return true;
  refuseMissing(device, ['uplink'], fault);
  if (uplinks[0].gateways.length === 0)
    throw fault(
      ['uplink'],
      device,
      'no route to the Internet leads out of it; name another, or set gateway too',
    );
  return false;
}

/**
 * A tunnel may come later than the filter at a boot, and may be gone for a while. But one of which the filter that stands
 * knows nothing, and which isn't there, is a wrong name.
 * @throws Refusal then: the domains of the way that had another name would be cut off
 */
function refuseUnknown({ device, way }: Way, { uplinks, inForce, fault }: UplinkConfig): void {
  if (inForce.length === 0 || inForce.some(one => one.device === device)) return;
  refuseMissing(device, [...(uplinks[way]?.path ?? []), 'device'], fault);
}

function refuseMissing(device: string, path: readonly string[], fault: Config['fault']): void {
  const names = namesIn('/sys/class/net').toSorted();
  if (names.includes(device)) return;
  throw fault(path, device, `"${device}" is no interface of this host, which has ${names.join(', ')}`);
}

/** Whether a route leads to the Internet, by whatever interface. */
function isOnline(host: Host): boolean {
  const { path4, path6 } = host.query(pathQueries);
  return [path4, path6].some(answers => allFound(answers).length > 0);
}

export const defaultRoute = (answers: ReadonlyMap<string, Answer>): RouteAnswer | undefined =>
  firstRoute(answers, 'the default route');

/** A route names one of the host's IPv6 addresses; it may have more. */
export function withAddresses(uplinks: Uplinks, { addresses }: Pick<View, 'addresses'>): Uplinks {
  const complete = (uplink: Uplink): Uplink => {
    const all = (addresses.get(uplink.device) ?? []).map(one => parseInterfaceAddress(one).address);
    return { ...uplink, host6: all.filter(({ family }) => family === 6) };
  };
  const [main, ...others] = uplinks;
  return [complete(main), ...others.map(complete)];
}

export const readPrefix = (text: string | undefined): Prefix | undefined =>
  text === undefined ? undefined : parsePrefix(text);
