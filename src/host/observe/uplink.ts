/** Reads where the Internet is. */
import { parseInterfaceAddress, parsePrefix } from '../../model/address.ts';
import type { Config } from '../../model/config.ts';
import { FAMILIES, type Family, type Prefix } from '../../model/prefix.ts';
import { Refusal } from '../../model/refusal.ts';
import type { Uplink } from '../../model/uplink.ts';
import type { View } from '../../model/view.ts';
import { namesIn } from '../files.ts';
import type { Host } from '../host.ts';
import { type Answer, type Answers, about, allFound } from '../query.ts';
import { firstRoute, type RouteAnswer, toRouteAnswers } from './ip.ts';

/**
 * Addresses that follow the default route; nothing is sent to them. 192.0.2.1 (RFC 5737) is nobody's, but a careful
 * host blackholes its network: then the other one tells. They lie in the two halves that some VPNs route by themselves
 * instead of everything. 2000::1 isn't given out yet.
 */
export const FAR_AWAY: Readonly<Record<Family, readonly string[]>> = {
  4: ['192.0.2.1', '9.9.9.9'],
  6: ['2000::1'],
};

/** What the configuration says of the uplink, and what stands; the rest is read from the routes by that interface. */
export type UplinkConfig = Pick<Config, 'uplink' | 'host' | 'gateway' | 'inForce' | 'fault'>;

/**
 * Which route leads out of the interface that is known to be the uplink, whatever rule or better route stands before it.
 * Where none does, the kernel supposes that the address is on the wire, and names no table.
 */
export const uplinkQueries = (device: string | undefined) => {
  const question = (address: string) => `route get ${address}${device === undefined ? '' : ` oif ${device}`}`;
  return { used4: about(FAR_AWAY[4], question), used6: about(FAR_AWAY[6], question) };
};

/** Where the host's own packets go. A start doesn't ask. */
export const pathQueries = {
  path4: about(FAR_AWAY[4], address => `route get ${address}`),
  path6: about(FAR_AWAY[6], address => `route get ${address}`),
};

type UplinkAnswers = Answers<ReturnType<typeof uplinkQueries>>;
type PathAnswers = Answers<typeof pathQueries>;

/**
 * The interface that is the uplink: what the configuration says, else that of the filter which stands. Only where there is
 * neither it is that of the main table's default route, and not where a VPN leads the host's own packets.
 */
export function uplinkDevice(host: Host, { uplink, inForce }: UplinkConfig): string | undefined {
  const known = uplink ?? inForce?.device;
  if (known !== undefined) return known;
  const { defaults, plain } = host.query({
    defaults: 'route show table main default',
    plain: about(FAR_AWAY[4], address => `route get ${address}`),
  });
  const routes = toRouteAnswers(defaults.found).filter(({ gateway }) => gateway !== undefined);
  return (routes.toSorted((a, b) => a.metric - b.metric)[0] ?? defaultRoute(plain))?.dev;
}

/** The uplink by itself, for what touches no domain. @throws Refusal as {@link readUplink} */
export function observeUplink(host: Host, given: UplinkConfig): Uplink {
  const device = uplinkDevice(host, given);
  const answers = host.query({ ...uplinkQueries(device), ...pathQueries });
  return readUplink(given, device, answers, answers);
}

/**
 * @param paths where the host's own packets go, if that was asked
 * @throws Refusal if there is none, or the configuration names an interface that can't be it
 */
export function readUplink(
  given: UplinkConfig,
  device: string | undefined,
  { used4, used6 }: UplinkAnswers,
  paths?: PathAnswers,
): Uplink {
  const [route4, route6] = [leading(used4), leading(used6)];
  if (device !== undefined) refuseImpossible(device, given, route4 !== undefined || route6 !== undefined);
  // An interface that is down or gone has no routes: then what stands is right until it is back.
  const stands = given.inForce?.device === device ? given.inForce : undefined;
  const host = given.host ?? readPrefix(route4?.prefsrc) ?? stands?.host;
  if (device === undefined || host === undefined)
    throw new Refusal(
      'Cannot find the uplink: there is no default route; set uplink, host and gateway in hnet.toml',
    );
  const own6 = readPrefix(route6?.prefsrc);
  const found = paths && { 4: paths.path4, 6: paths.path6 };
  return {
    device,
    host,
    gateway: given.gateway ?? readPrefix(route4?.gateway) ?? (route4 ? undefined : stands?.gateway),
    host6: own6 === undefined ? [] : [own6],
    gateway6: readPrefix(route6?.gateway) ?? (route6 ? undefined : stands?.gateway6),
    bypassed: found && FAMILIES.filter(family => leadsElsewhere(found[family], device)),
  };
}

/** The route that a table holds. */
const leading = (answers: ReadonlyMap<string, Answer>): RouteAnswer | undefined =>
  toRouteAnswers(allFound(answers)).find(({ table }) => table !== undefined);

const leadsElsewhere = (answers: ReadonlyMap<string, Answer>, device: string): boolean =>
  toRouteAnswers(allFound(answers)).some(({ dev }) => dev !== device);

/** An interface that is new as the uplink must exist, and lead somewhere: or all domains would be cut off. */
function refuseImpossible(device: string, { gateway, inForce, fault }: UplinkConfig, leads: boolean): void {
  if (device === inForce?.device || leads) return;
  const names = namesIn('/sys/class/net').toSorted();
  if (!names.includes(device))
    throw fault('uplink', device, `"${device}" is no interface of this host, which has ${names.join(', ')}`);
  if (gateway === undefined)
    throw fault(
      'uplink',
      device,
      'no route to the Internet leads out of it; name another, or set gateway too',
    );
}

export const defaultRoute = (answers: ReadonlyMap<string, Answer>): RouteAnswer | undefined =>
  firstRoute(answers, 'the default route');

/** The route names one of the host's IPv6 addresses; it may have more. */
export function withAddresses(uplink: Uplink, { addresses }: Pick<View, 'addresses'>): Uplink {
  const all = (addresses.get(uplink.device) ?? []).map(one => parseInterfaceAddress(one).address);
  return { ...uplink, host6: all.filter(({ family }) => family === 6) };
}

export const readPrefix = (text: string | undefined): Prefix | undefined =>
  text === undefined ? undefined : parsePrefix(text);
