/** Reads where the Internet is. */
import { parseInterfaceAddress, parsePrefix } from '../../model/address.ts';
import type { Config } from '../../model/config.ts';
import type { Family, Prefix } from '../../model/prefix.ts';
import { Refusal } from '../../model/refusal.ts';
import type { Uplink } from '../../model/uplink.ts';
import type { View } from '../../model/view.ts';
import type { Host } from '../host.ts';
import { type Answer, type Answers, about } from '../query.ts';
import { firstRoute, type RouteAnswer } from './ip.ts';

/**
 * Addresses that follow the default route; nothing is sent to them. 192.0.2.1 (RFC 5737) is nobody's, but a careful
 * host blackholes its network: then the other one tells. 2000::1 isn't given out yet.
 */
export const FAR_AWAY: Readonly<Record<Family, readonly string[]>> = {
  4: ['192.0.2.1', '9.9.9.9'],
  6: ['2000::1'],
};

export const DEFAULT_ROUTES = {
  default4: about(FAR_AWAY[4], address => `route get ${address}`),
  default6: about(FAR_AWAY[6], address => `route get ${address}`),
};

/** What the configuration says of the uplink; what it leaves out is read from the default route. */
export type UplinkConfig = Pick<Config, 'uplink' | 'host' | 'gateway'>;

/** The uplink by itself, for what touches no domain. @throws Refusal as {@link readUplink} */
export const observeUplink = (host: Host, given: UplinkConfig): Uplink =>
  readUplink(given, host.query(DEFAULT_ROUTES));

/** @throws Refusal if there is no default route */
export function readUplink(
  given: UplinkConfig,
  { default4, default6 }: Answers<typeof DEFAULT_ROUTES>,
): Uplink {
  const route6 = defaultRoute(default6);
  const host6 = readPrefix(route6?.prefsrc);
  return {
    ...uplinkOf(given, defaultRoute(default4)),
    host6: host6 === undefined ? [] : [host6],
    gateway6: readPrefix(route6?.gateway),
  };
}

export const defaultRoute = (answers: ReadonlyMap<string, Answer>): RouteAnswer | undefined =>
  firstRoute(answers, 'the default route');

/** The uplink of IPv4. What the configuration says counts, not what runs. @throws Refusal if neither says it */
export function uplinkOf(
  given: UplinkConfig,
  route: RouteAnswer | undefined,
): Pick<Uplink, 'device' | 'host' | 'gateway'> {
  const device = given.uplink ?? route?.dev;
  const host = given.host ?? readPrefix(route?.prefsrc);
  if (device === undefined || host === undefined)
    throw new Refusal(
      'Cannot find the uplink: there is no default route; set uplink, host and gateway in hnet.toml',
    );
  return { device, host, gateway: given.gateway ?? readPrefix(route?.gateway) };
}

/** The route names one of the host's IPv6 addresses; it may have more. */
export function withAddresses(uplink: Uplink, { addresses }: Pick<View, 'addresses'>): Uplink {
  const all = (addresses.get(uplink.device) ?? []).map(one => parseInterfaceAddress(one).address);
  return { ...uplink, host6: all.filter(({ family }) => family === 6) };
}

export const readPrefix = (text: string | undefined): Prefix | undefined =>
  text === undefined ? undefined : parsePrefix(text);
