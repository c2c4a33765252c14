/** Reads what is into a View: all of it, in a constant number of processes. */
import type { Firewall } from '../firewall/firewall.ts';
import type { Uplink } from '../firewall/uplink.ts';
import type { Host } from '../host.ts';
import type { View } from '../view.ts';
import { toLinks, toProxies, toRoutes } from './ip.ts';
import { look, Moment, sysctl, type Tools } from './parts.ts';
import { readDhcpServers, readNdpServers } from './servers.ts';
import { observeStrangers } from './strangers.ts';
import { DEFAULT_ROUTE, readUplink, type UplinkConfig, withAddresses } from './uplink.ts';

/**
 * What `ip` prints of the network, all of it. It lists routes of one family only, unless it is asked for all tables: for
 * IPv6 it is, with a prefix that says which family is meant.
 */
const NETWORK = [
  'address show',
  'route show table main',
  'route show table all root ::/0',
  'neigh show proxy',
];

/** Everything, in a number of processes that doesn't depend on the number of domains. */
export function observe(host: Host, firewall: Firewall): View {
  return toView(host.query(NETWORK), host, new Moment(host), firewall);
}

function toView(network: readonly unknown[], host: Host, tools: Tools, firewall: Firewall): View {
  return {
    ...toNetwork(network),
    filter: { ...look(tools, firewall.looks.all), strangers: observeStrangers(tools, firewall) },
    dhcp: readDhcpServers(host),
    ndp: readNdpServers(),
    sysctl,
  };
}

function toNetwork([links, routes, routes6, proxies]: readonly unknown[]): Network {
  return {
    ...toLinks(links),
    routes: new Map([...toRoutes(4, routes), ...toRoutes(6, routes6)]),
    proxies: toProxies(proxies),
  };
}

type Network = Pick<View, 'links' | 'addresses' | 'routes' | 'proxies'>;

/** Links, addresses and routes alone. */
export const readNetwork = (host: Host): Network => toNetwork(host.query(NETWORK));

/** The same with the uplink, in one process less, and with what else there is to see at this moment. @throws Refusal as {@link readUplink} */
export function observeWithUplink(
  host: Host,
  firewall: Firewall,
  given: UplinkConfig,
): { view: View; uplink: Uplink; moment: Moment } {
  const answers = host.query([...DEFAULT_ROUTE, ...NETWORK]);
  const uplink = readUplink(given, answers.splice(0, DEFAULT_ROUTE.length));
  const moment = new Moment(host);
  const view = toView(answers, host, moment, firewall);
  return { view, uplink: withAddresses(uplink, view), moment };
}
