/** Reads what is into a View: all of it, in a constant number of processes. */
import { RULESET } from '../../firewall/foreign/parse-nft.ts';
import type { Firewall } from '../../firewall/rules/backend.ts';
import type { Uplink } from '../../model/uplink.ts';
import type { View } from '../../model/view.ts';
import type { Host, Tools } from '../host.ts';
import type { Answers } from '../query.ts';
import { KIND, observeForeign } from './foreign.ts';
import { toLinks, toProxies, toRoutes } from './ip.ts';
import { look, Moment, sysctl } from './parts.ts';
import { readDhcpServers, readNdpServers, SOCKETS } from './servers.ts';
import { DEFAULT_ROUTES, readUplink, type UplinkConfig, withAddresses } from './uplink.ts';

/** What `ip` prints of the network, but for IPv6's routes. */
const NETWORK = { links: 'address show', routes: 'route show table main', proxies: 'neigh show proxy' };

/** One `ip` lists the main table of one family only, or all tables of both, which hold many times as many. */
const ROUTES6 = ['ip', '-6', '-json', '-details', 'route', 'show', 'table', 'main'];

/** Everything, in a number of processes that doesn't depend on the number of domains. */
export function observe(host: Host, firewall: Firewall): View {
  const moment = new Moment(host);
  return toView(moment.query(NETWORK, commands(firewall)), moment, firewall);
}

const commands = ({ name, looks }: Firewall): (readonly string[])[] => [
  ...looks.all.commands.map(({ argv }) => argv),
  ...(name === 'iptables' ? [KIND] : []),
  RULESET,
  SOCKETS,
  ROUTES6,
];

function toView(network: Answers<typeof NETWORK>, tools: Tools, firewall: Firewall): View {
  return {
    ...toNetwork(network, tools),
    filter: { ...look(tools, firewall.looks.all), foreign: observeForeign(tools, firewall) },
    dhcp: readDhcpServers(tools),
    ndp: readNdpServers(),
    sysctl,
  };
}

function toNetwork({ links, routes, proxies }: Answers<typeof NETWORK>, tools: Tools): Network {
  // Without IPv6 in the kernel this fails.
  const routes6 = JSON.parse(tools.output(ROUTES6) || '[]');
  return {
    ...toLinks(links.found),
    routes: new Map([...toRoutes(4, routes.found), ...toRoutes(6, routes6)]),
    proxies: toProxies(proxies.found),
  };
}

export type Network = Pick<View, 'links' | 'addresses' | 'routes' | 'proxies'>;

/** Links, addresses and routes alone. */
export const readNetwork = (host: Host): Network => toNetwork(host.query(NETWORK), host);

/** The same with the uplink. @throws Refusal as {@link readUplink} */
export function readNetworkWithUplink(host: Host, given: UplinkConfig): { view: Network; uplink: Uplink } {
  const answers = host.query({ ...DEFAULT_ROUTES, ...NETWORK });
  const view = toNetwork(answers, host);
  return { view, uplink: withAddresses(readUplink(given, answers), view) };
}

/** Everything with the uplink, and with the moment for further commands. @throws Refusal as {@link readUplink} */
export function observeWithUplink(
  host: Host,
  firewall: Firewall,
  given: UplinkConfig,
): { view: View; uplink: Uplink; moment: Moment } {
  const moment = new Moment(host);
  const answers = moment.query({ ...DEFAULT_ROUTES, ...NETWORK }, commands(firewall));
  const uplink = readUplink(given, answers);
  const view = toView(answers, moment, firewall);
  return { view, uplink: withAddresses(uplink, view), moment };
}
