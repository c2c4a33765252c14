/** Reads what is into a View: the output of tools and files of the kernel, parsed into types at this door. */
import { readdirSync, statSync } from 'node:fs';
import * as v from 'valibot';
import {
  contains,
  type Family,
  format,
  formatAddress,
  nth,
  type Prefix,
  parseInterfaceAddress,
  parsePrefix,
  size,
} from './address.ts';
import type { Config } from './config.ts';
import type { Firewall, Look } from './firewall/firewall.ts';
import { gatewayWithin, type Uplink } from './firewall/uplink.ts';
import { CommandFailure, type Host, processOf, readIfThere } from './host.ts';
import { DHCP_DIRECTORY, gatewayOf, NDP_DIRECTORY, ROUTE_PROTOCOL } from './names.ts';
import { observeStrangers } from './observe-strangers.ts';
import { Refusal } from './refusal.ts';
import type { BridgeSpec } from './resources/bridge.ts';
import { configurationFile, pidFile } from './resources/dhcp.ts';
import { responderFile, responderPid } from './resources/neighbour.ts';
import { toPoolRoute } from './resources/route.ts';
import { type DhcpServer, EMPTY_VIEW, type Link, type Route, routeKey, type View } from './view.ts';

const number = v.optional(v.number(), -1);
const text = v.optional(v.string(), '');

const linkSchema = v.object({
  ifindex: v.number(),
  ifname: v.string(),
  flags: v.array(v.string()),
  group: text,
  address: text,
  ifalias: text,
  addr_info: v.array(v.object({ local: v.optional(v.string()), prefixlen: v.optional(v.number()) })),
  master: v.optional(v.string()),
  linkinfo: v.optional(
    v.object({
      info_kind: text,
      info_data: v.optional(
        v.object({ stp_state: number, forward_delay: number, ageing_time: number, mcast_snooping: number }),
      ),
    }),
  ),
});

const routeSchema = v.object({
  table: v.optional(v.string(), 'main'),
  type: v.optional(v.string(), 'unicast'),
  dst: v.string(),
  dev: v.optional(v.string()),
  gateway: v.optional(v.string()),
  prefsrc: v.optional(v.string()),
  protocol: v.optional(v.string(), 'boot'),
  metric: v.optional(v.number(), 0),
});

function parse<T>(schema: v.GenericSchema<unknown, T>, output: unknown, what: string): T[] {
  const result = v.safeParse(v.array(schema), output);
  if (result.success) return result.output;
  throw new Refusal(
    `Cannot read ${what}: ${result.issues[0].message} at ${v.getDotPath(result.issues[0]) ?? 'its top'}`,
  );
}

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
  return toView(host.query(NETWORK), host, firewall);
}

function toView(network: readonly unknown[], host: Host, firewall: Firewall): View {
  return {
    ...toNetwork(network),
    filter: { ...look(host, firewall.looks.all), strangers: observeStrangers(host, firewall) },
    dhcp: readDhcpServers(host),
    ndp: readNdpServers(),
    sysctl,
  };
}

function toNetwork([links, routes, routes6, proxies]: readonly unknown[]): Network {
  return {
    ...toLinks(links),
    routes: new Map([...toRoutes(4, routes), ...toRoutes(6, routes6)]),
    proxies: new Set(
      parse(proxySchema, proxies ?? [], 'ip neigh')
        .filter(({ protocol }) => protocol === String(ROUTE_PROTOCOL))
        .map(({ dst, dev }) => `${dst} ${dev}`),
    ),
  };
}

type Network = Pick<View, 'links' | 'addresses' | 'routes' | 'proxies'>;

/** Links, addresses and routes alone. */
export const readNetwork = (host: Host): Network => toNetwork(host.query(NETWORK));

/** The same with the uplink, in one process less. @throws Refusal as {@link observeUplink} */
export function observeWithUplink(
  host: Host,
  firewall: Firewall,
  given: UplinkConfig,
): { view: View; uplink: Uplink } {
  const [answers, network] = split(host.query([...DEFAULT_ROUTE, ...NETWORK]), DEFAULT_ROUTE.length);
  const view = toView(network, host, firewall);
  return { view, uplink: withAddresses(readUplink(given, answers), view) };
}

const split = <T>(list: readonly T[], at: number): [T[], T[]] => [list.slice(0, at), list.slice(at)];

/**
 * What stands in the filter.
 * @throws CommandFailure where it can't be seen: to take that for nothing would be to set it all up twice
 */
export function look(host: Host, { commands, parse }: Look): View['filter'] {
  return parse(
    commands.map(({ argv, stdin, failsIfEmpty }) => {
      try {
        return host.run(argv, stdin);
      } catch (error) {
        if (failsIfEmpty && error instanceof CommandFailure) return '';
        throw error;
      }
    }),
  );
}

/** What a start must know: the uplink, the base, and what stands where the domain's own resources will. */
export interface StartView {
  readonly uplink: Uplink;
  readonly view: View;
  /** Routes that lead to the scopes of the domain, or to an eighth of one. */
  readonly routes: readonly Route[];
}

/**
 * Looks only at what a start touches, so that it costs the same with 4,000 domains as with one: one process
 * for links and routes, one for the filter. Entries of sets and DHCP servers count as absent, for bringing
 * them up again does no harm. Routes are looked up and never listed: whoever lists some gets all domains' from
 * the kernel, and picks.
 */
export function observeStart(
  host: Host,
  firewall: Firewall,
  given: UplinkConfig & Pick<Config, 'pools'>,
  bridges: readonly BridgeSpec[],
  prefixes: readonly Prefix[],
): StartView {
  const queries = {
    links: bridges.map(({ name }) => `address show dev ${name}`),
    scopes: bridges.flatMap(({ scope }) => eighths(scope).map(one => `route get fibmatch ${format(one)}`)),
    prefixes: prefixes.map(prefix => `route get fibmatch ${formatAddress(prefix.family, prefix.first)}`),
  };
  const [answer, answers] = split(
    host.query([...DEFAULT_ROUTE, ...Object.values(queries).flat()]),
    DEFAULT_ROUTE.length,
  );
  const take = (count: number): unknown[] => answers.splice(0, count).flatMap(answer => answer ?? []);
  const links = toLinks(take(queries.links.length));
  const scopes = toRoutes(4, take(queries.scopes.length));
  const matches = prefixes.flatMap(({ family }) => [...toRoutes(family, take(1))]);
  const uplink = readUplink(given, answer);
  return {
    uplink,
    routes: [...scopes.values()],
    view: {
      ...EMPTY_VIEW,
      ...links,
      routes: new Map([
        ...gatewayRoute(gatewayWithin(given.pools, uplink), host),
        ...poolRoutes(given.pools, matches),
        ...matches,
      ]),
      filter: look(host, firewall.looks.brief),
      sysctl,
    },
  };
}

/** An address in each eighth of a scope: what is routed elsewhere shows, unless it is smaller than that. */
const eighths = (scope: Prefix): Prefix[] => [
  gatewayOf(scope),
  ...[1n, 2n, 3n, 4n, 5n, 6n, 7n].map(part => nth(scope, (size(scope) * part) / 8n)),
];

/**
 * The routes of the pools themselves, by what became of the domain's own addresses: a lookup that ends in one fails, and
 * one that finds a route wider than the pool has met none. Pools that the domain has no address of aren't its concern.
 */
function poolRoutes(
  pools: readonly Prefix[],
  matches: readonly (readonly [string, Route])[],
): [string, Route][] {
  return pools
    .filter(pool => !matches.some(([, { prefix }]) => prefix.length < pool.length && contains(prefix, pool)))
    .map(prefix => {
      const route = toPoolRoute(prefix);
      return [routeKey(prefix, route.metric), route];
    });
}
const gatewayRoute = (gateway: Prefix | undefined, host: Host): View['routes'] =>
  gateway === undefined ? new Map() : toRoutes(6, host.query([`route get fibmatch ${format(gateway)}`])[0]);

/** The links of these names that exist. */
export function observeLinks(host: Host, names: readonly string[]): View['links'] {
  return toLinks(host.query(names.map(name => `address show dev ${name}`)).flatMap(answer => answer ?? []))
    .links;
}

function sysctl(path: string): string | undefined {
  return readIfThere(path)?.trim();
}

function toLink(link: v.InferOutput<typeof linkSchema>): Link {
  const data = link.linkinfo?.info_data;
  return {
    index: link.ifindex,
    alias: link.ifalias,
    group: link.group === 'default' ? 0 : Number(link.group),
    kind: link.linkinfo?.info_kind ?? '',
    mac: link.address,
    up: link.flags.includes('UP'),
    master: link.master,
    bridge:
      link.linkinfo?.info_kind === 'bridge' && data !== undefined
        ? {
            stp: data.stp_state,
            forwardDelay: data.forward_delay,
            ageingTime: data.ageing_time,
            mcastSnooping: data.mcast_snooping,
          }
        : undefined,
  };
}

/** Links and their addresses, both from `ip address show`. */
function toLinks(output: unknown): Pick<View, 'links' | 'addresses'> {
  const links = parse(linkSchema, output ?? [], 'ip address');
  return {
    links: new Map(links.map(link => [link.ifname, toLink(link)])),
    addresses: new Map(
      links.map(({ ifname, addr_info }) => [
        ifname,
        addr_info.flatMap(({ local, prefixlen }) => (local === undefined ? [] : [`${local}/${prefixlen}`])),
      ]),
    ),
  };
}

function toRoutes(family: Family, output: unknown): ReadonlyMap<string, Route> {
  const routes = parse(routeSchema, output ?? [], 'ip route')
    .filter(({ table }) => table === 'main')
    .map(route => toRoute(family, route));
  return new Map(routes.map(route => [routeKey(route.prefix, route.metric), route]));
}

const proxySchema = v.object({ dst: v.string(), dev: v.string(), protocol: text });

function toRoute(
  family: Family,
  { type, dst, dev, protocol, metric }: v.InferOutput<typeof routeSchema>,
): Route {
  const prefix: Prefix = dst === 'default' ? { family, first: 0n, length: 0 } : parsePrefix(dst);
  return { prefix, type, dev, protocol, metric };
}

/**
 * Our DHCP servers that are alive, and the interface each one's socket is bound to: a bridge that was made
 * anew leaves its old server alive, bound to an index that is gone (`%if7` in ss), and serving nobody. They are
 * known by their command lines, for the files that name them may be lost while they run.
 */
function readDhcpServers(host: Host): ReadonlyMap<string, DhcpServer> {
  const found = new Map<string, { pid: number; boundTo: string }[]>();
  const note = (bridge: string, pid: number, boundTo: string): void => {
    const others = found.get(bridge) ?? [];
    if (!others.some(other => other.pid === pid)) found.set(bridge, [...others, { pid, boundTo }]);
  };
  for (const { pid, boundTo } of dhcpSockets(host)) {
    const [, bridge] = SERVER.exec(readIfThere(`/proc/${pid}/cmdline`) ?? '') ?? [];
    if (bridge !== undefined) note(bridge, pid, boundTo);
  }
  for (const bridge of listDirectory(DHCP_DIRECTORY).flatMap(name => /^(.*)\.pid$/.exec(name)?.[1] ?? [])) {
    const pid = processOf(pidFile(bridge), configurationFile(bridge));
    if (pid !== undefined) note(bridge, pid, isYoung(bridge) ? bridge : 'nothing');
  }
  return new Map([...found].map(([bridge, servers]) => [bridge, toServer(bridge, servers)]));
}

/** Started just now: among thousands of interfaces dnsmasq takes its time before it binds, and is no fault meanwhile. */
const isYoung = (bridge: string): boolean =>
  Date.now() - (statSync(pidFile(bridge), { throwIfNoEntry: false })?.mtimeMs ?? 0) < 10_000;

const SERVER = new RegExp(`--conf-file=${DHCP_DIRECTORY}/([^/\0]+)\\.conf\0`);

function dhcpSockets(host: Host): { pid: number; boundTo: string }[] {
  const sockets = host.run(['ss', '-Hulnp', 'sport = :67']);
  return [...sockets.matchAll(/%(\S+):67 .*pid=(\d+)/g)].map(([, device = '', pid]) => ({
    pid: Number(pid),
    boundTo: device,
  }));
}

/** Of several servers, the one that serves. */
function toServer(bridge: string, servers: readonly { pid: number; boundTo: string }[]): DhcpServer {
  const main = servers.find(({ boundTo }) => boundTo === bridge) ?? servers[0];
  const rivals = servers.filter(server => server !== main).map(({ pid }) => pid);
  const configuration = readIfThere(configurationFile(bridge)) ?? '';
  return { pid: main?.pid ?? 0, boundTo: main?.boundTo ?? 'nothing', rivals, configuration };
}

/** The neighbour discovery responders of ours that are alive. */
function readNdpServers(): ReadonlyMap<string, string> {
  const bridges = listDirectory(NDP_DIRECTORY).flatMap(name => /^(.*)\.pid$/.exec(name)?.[1] ?? []);
  const alive = bridges.filter(
    bridge => processOf(responderPid(bridge), responderFile(bridge)) !== undefined,
  );
  return new Map(alive.map(bridge => [bridge, readIfThere(responderFile(bridge)) ?? '']));
}

function listDirectory(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/**
 * Asks for the default routes, and no packet is sent. 192.0.2.1 (RFC 5737) is never anybody's, but a careful host
 * blackholes its network; then any address far away tells. 2000::1 isn't given out.
 */
const DEFAULT_ROUTE = ['route get 192.0.2.1', 'route get 9.9.9.9', 'route get 2000::1'];

/** What the configuration says of the uplink; what it leaves out is read from the default route. */
export type UplinkConfig = Pick<Config, 'uplink' | 'host' | 'gateway'>;

/** The uplink by itself, for what touches no domain. @throws Refusal as {@link observeStart} */
export function observeUplink(host: Host, given: UplinkConfig): Uplink {
  return readUplink(given, host.query(DEFAULT_ROUTE));
}

function readUplink(given: UplinkConfig, [answer, other, answer6]: readonly unknown[]): Uplink {
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
function withAddresses(uplink: Uplink, { addresses }: Pick<View, 'addresses'>): Uplink {
  const all = (addresses.get(uplink.device) ?? []).map(one => parseInterfaceAddress(one).address);
  return { ...uplink, host6: all.filter(({ family }) => family === 6) };
}

const readPrefix = (text: string | undefined): Prefix | undefined =>
  text === undefined ? undefined : parsePrefix(text);
