/** Reads where the Internet is. */
import { parseInterfaceAddress, parsePrefix } from '../../model/address.ts';
import type { Config } from '../../model/config.ts';
import type { Prefix } from '../../model/prefix.ts';
import { Refusal } from '../../model/refusal.ts';
import type { Uplink } from '../../model/uplink.ts';
import type { View } from '../../model/view.ts';
import type { Host } from '../host.ts';
import { parse, routeSchema } from './ip.ts';

/**
 * Asks for the default routes, and no packet is sent. 192.0.2.1 (RFC 5737) is never anybody's, but a careful host
 * blackholes its network; then any address far away tells. 2000::1 isn't given out.
 */
export const DEFAULT_ROUTE = ['route get 192.0.2.1', 'route get 9.9.9.9', 'route get 2000::1'];

/** What the configuration says of the uplink; what it leaves out is read from the default route. */
export type UplinkConfig = Pick<Config, 'uplink' | 'host' | 'gateway'>;

/** The uplink by itself, for what touches no domain. @throws Refusal as {@link readUplink} */
export function observeUplink(host: Host, given: UplinkConfig): Uplink {
  return readUplink(given, host.query(DEFAULT_ROUTE));
}

/** @param answers to {@link DEFAULT_ROUTE}; more are passed over. @throws Refusal if there is no default route */
export function readUplink(given: UplinkConfig, [answer, other, answer6]: readonly unknown[]): Uplink {
  const [route] = parse(routeSchema, answer ?? other ?? [], 'the default route');
  const [route6] = parse(routeSchema, answer6 ?? [], 'the IPv6 default route');
  const device = given.uplink ?? route?.dev;
  const host = given.host ?? readPrefix(route?.prefsrc);
  if (device === undefined || host === undefined) {
    throw new Refusal(
      'Cannot find the uplink: there is no default route; set uplink, host and gateway in hnet.toml',
    );
  }
  const host6 = readPrefix(route6?.prefsrc);
  return {
    device,
    host,
    gateway: given.gateway ?? readPrefix(route?.gateway),
    host6: host6 === undefined ? [] : [host6],
    gateway6: readPrefix(route6?.gateway),
  };
}

/** The route names one of the host's IPv6 addresses; it may have more. */
export function withAddresses(uplink: Uplink, { addresses }: Pick<View, 'addresses'>): Uplink {
  const all = (addresses.get(uplink.device) ?? []).map(one => parseInterfaceAddress(one).address);
  return { ...uplink, host6: all.filter(({ family }) => family === 6) };
}

const readPrefix = (text: string | undefined): Prefix | undefined =>
  text === undefined ? undefined : parsePrefix(text);
