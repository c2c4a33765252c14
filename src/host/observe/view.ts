/** Reads what is into a View: all of it, in a constant number of processes. */
import type { Firewall } from '../../firewall/rules/backend.ts';
import { format, routeKey } from '../../model/address.ts';
import { HOST_METRIC, isOwnTable, ROUTE_PROTOCOL } from '../../model/names.ts';
import { nth, type Prefix } from '../../model/prefix.ts';
import type { Uplinks } from '../../model/uplink.ts';
import type { Policy, Route, View } from '../../model/view.ts';
import type { Host, Tools } from '../host.ts';
import { type Answers, about, listIn } from '../query.ts';
import { observeForeign } from './foreign.ts';
import { toLinks, toProxies, toRoutes, toRoutesOf, toRules, withoutOutward } from './ip.ts';
import { ipsecCommands, readIpsec } from './ipsec.ts';
import { look, Moment, sysctl } from './parts.ts';
import { readDhcpServers, readNdpServers, SOCKETS } from './servers.ts';
import {
  findWays,
  pathQueries,
  readUplinks,
  type UplinkConfig,
  uplinkQueries,
  withAddresses,
} from './uplink.ts';

/**
 * What `ip` prints of the network. Of the routes only ours, and those that are configured: a host may have hundreds of
 * thousands of others. One `ip` lists the rules of one family only.
 */
const NETWORK = {
  links: 'address show',
  own: `route show table all proto ${ROUTE_PROTOCOL}`,
  typed: 'route show table all proto boot',
  static: 'route show table all proto static',
  proxies: 'neigh show proxy',
  rules: 'rule show',
};
const RULES6 = ['ip', '-6', '-json', '-details', 'rule', 'show'];

/**
 * Everything that concerns domains, in a number of processes that doesn't depend on their number.
 * @param places where a route of ours should be: a stranger's there is found too
 */
export function observe(host: Host, firewall: Firewall, places: readonly Prefix[] = []): View {
  const moment = new Moment(host);
  return withForeign(toView(moment.query(NETWORK, commands(firewall)), moment, firewall), places, host);
}

/** The same with the uplinks, and with the moment for further commands. @throws Refusal as {@link readUplinks} */
export function observeWithUplinks(
  host: Host,
  firewall: Firewall,
  given: UplinkConfig,
  places: readonly Prefix[] = [],
): { view: View; uplinks: Uplinks; moment: Moment } {
  const moment = new Moment(host);
  const ways = findWays(host, given);
  const answers = moment.query({ ...uplinkQueries(ways), ...pathQueries, ...NETWORK }, commands(firewall));
  const uplinks = readUplinks(host, given, ways, answers, answers);
  const outward = ways.map(({ device }) => device);
  const { typed, static: managed } = answers;
  const near = {
    typed: { found: withoutOutward(typed.found, outward) },
    static: { found: withoutOutward(managed.found, outward) },
  };
  const view = withForeign(toView({ ...answers, ...near }, moment, firewall), places, host);
  return { view, uplinks: withAddresses(uplinks, view), moment };
}

const commands = ({ looks }: Firewall): (readonly string[])[] => [
  ...looks.all.commands.map(({ argv }) => argv),
  ...ipsecCommands(),
  SOCKETS,
  RULES6,
];

function toView(network: Answers<typeof NETWORK>, tools: Tools, firewall: Firewall): View {
  const { links, own, typed, static: managed, proxies } = network;
  return {
    ...toLinks(links.found),
    routes: byKey(
      toRoutesOf(String(ROUTE_PROTOCOL), own.found)
        .filter(({ table }) => table === 'main')
        .map(({ route }) => route),
    ),
    configured: [...toRoutesOf('boot', typed.found), ...toRoutesOf('static', managed.found)].map(
      ({ route }) => route,
    ),
    policy: toPolicy(network, tools),
    ipsec: readIpsec(tools),
    proxies: toProxies(proxies.found),
    filter: {
      ...look(tools, firewall.looks.all),
      foreign: observeForeign(tools, firewall),
    },
    dhcp: readDhcpServers(tools),
    ndp: readNdpServers(),
    sysctl,
  };
}

const byKey = (routes: readonly Route[]): View['routes'] =>
  new Map(routes.map(route => [routeKey(route.prefix, route.metric), route]));

/** How routes are chosen, alone. */
export const readPolicy = (host: Host): Policy =>
  toPolicy(host.query({ rules: NETWORK.rules, own: NETWORK.own }), host);

const toPolicy = ({ rules, own }: Pick<Answers<typeof NETWORK>, 'rules' | 'own'>, tools: Tools): Policy => ({
  rules: [...toRules(4, rules.found), ...toRules(6, listIn(tools.output(RULES6) || '[]'))],
  own: toRoutesOf(String(ROUTE_PROTOCOL), own.found)
    .filter(({ table }) => isOwnTable(Number(table)))
    .map(({ table, route }) => ({ table: Number(table), route })),
});

/** A route that isn't ours, where one of ours should be, is looked up: it would be replaced otherwise. */
function withForeign(view: View, places: readonly Prefix[], host: Host): View {
  const open = places.filter(place => !view.routes.has(routeKey(place, HOST_METRIC[place.family])));
  if (open.length === 0) return view;
  const { found } = host.query({
    found: about(open, place => `route get fibmatch ${format(nth(place, 0n))}`),
  });
  const others = [...found].flatMap(([{ family }, answer]) => [...toRoutes(family, answer.found)]);
  return { ...view, routes: new Map([...others, ...view.routes]) };
}

/** Links, addresses and every route, for what chooses among them or judges them. */
const EVERYTHING = { links: 'address show', routes: 'route show table main' };

/** One `ip` lists the main table of one family only, or all tables of both, which hold many times as many. */
const ROUTES6 = ['ip', '-6', '-json', '-details', 'route', 'show', 'table', 'main'];

type Network = Pick<View, 'links' | 'addresses' | 'routes'>;

/** Links, addresses and routes alone, with those of others. */
export const readNetwork = (host: Host): Network => toNetwork(host.query(EVERYTHING), host);

function toNetwork({ links, routes }: Answers<typeof EVERYTHING>, tools: Tools): Network {
  // Without IPv6 in the kernel this fails.
  const routes6 = listIn(tools.output(ROUTES6) || '[]');
  return {
    ...toLinks(links.found),
    routes: new Map([...toRoutes(4, routes.found), ...toRoutes(6, routes6)]),
  };
}

/** The same with the uplinks. @throws Refusal as {@link readUplinks} */
export function readNetworkWithUplinks(host: Host, given: UplinkConfig): { view: Network; uplinks: Uplinks } {
  const ways = findWays(host, given);
  const answers = host.query({ ...uplinkQueries(ways), ...EVERYTHING });
  const view = toNetwork(answers, host);
  return { view, uplinks: withAddresses(readUplinks(host, given, ways, answers), view) };
}
