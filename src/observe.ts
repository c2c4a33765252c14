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
  parsePrefix,
  size,
} from './address.ts';
import type { Config } from './config.ts';
import type { Firewall, Look } from './firewall/firewall.ts';
import type { Uplink } from './firewall/uplink.ts';
import { CommandFailure, type Host, processOf, readIfThere } from './host.ts';
import { BLACKHOLE_METRIC, DHCP_DIRECTORY, gatewayOf, ROUTE_PROTOCOL } from './names.ts';
import { observeStrangers } from './observe-strangers.ts';
import { Refusal } from './refusal.ts';
import type { BridgeSpec } from './resources/bridge.ts';
import { configurationFile, pidFile } from './resources/dhcp.ts';
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

/** Everything, in a number of processes that doesn't depend on the number of domains. */
export function observe(host: Host, firewall: Firewall): View {
  const [links, routes] = host.query(['address show', 'route show table main']);
  return toView(links, routes, host, firewall);
}

function toView(links: unknown, routes: unknown, host: Host, firewall: Firewall): View {
  return {
    ...toLinks(links),
    routes: toRoutes(4, routes),
    filter: { ...look(host, firewall.looks.all), strangers: observeStrangers(host, firewall) },
    dhcp: readDhcpServers(host),
    sysctl,
  };
}

/** Links, addresses and routes alone. */
export function readNetwork(host: Host): Pick<View, 'links' | 'addresses' | 'routes'> {
  const [links, routes] = host.query(['address show', 'route show table main']);
  return { ...toLinks(links), routes: toRoutes(4, routes) };
}

/** The same with the uplink, in one process less. @throws Refusal as {@link observeUplink} */
export function observeWithUplink(
  host: Host,
  firewall: Firewall,
  given: UplinkConfig,
): { view: View; uplink: Uplink } {
  const [links, routes, ...answers] = host.query(['address show', 'route show table main', ...DEFAULT_ROUTE]);
  return {
    view: toView(links, routes, host, firewall),
    uplink: readUplink(
      given,
      answers.find(one => one !== undefined),
    ),
  };
}

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
  const [defaultRoute, otherRoute, ...answers] = host.query([
    ...DEFAULT_ROUTE,
    ...Object.values(queries).flat(),
  ]);
  const take = (count: number): unknown[] => answers.splice(0, count).flatMap(answer => answer ?? []);
  const links = toLinks(take(queries.links.length));
  const scopes = toRoutes(4, take(queries.scopes.length));
  const matches = toRoutes(4, take(queries.prefixes.length));
  return {
    uplink: readUplink(given, defaultRoute ?? otherRoute),
    routes: [...scopes.values()],
    view: {
      ...EMPTY_VIEW,
      ...links,
      routes: new Map([...blackholes(given.pools, [...matches.values()]), ...matches]),
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
 * The pools' blackholes, by what became of the domain's own addresses: a lookup that ends in a blackhole fails, and
 * one that finds a route wider than the pool has met none. Pools that the domain has no address of aren't its concern.
 */
function blackholes(pools: readonly Prefix[], matches: readonly Route[]): [string, Route][] {
  return pools
    .filter(pool => !matches.some(({ prefix }) => prefix.length < pool.length && contains(prefix, pool)))
    .map(prefix => [
      routeKey(prefix, BLACKHOLE_METRIC),
      {
        prefix,
        type: 'blackhole',
        dev: undefined,
        protocol: String(ROUTE_PROTOCOL),
        metric: BLACKHOLE_METRIC,
      },
    ]);
}

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
  const routes = parse(routeSchema, output ?? [], 'ip route').map(route => toRoute(family, route));
  return new Map(routes.map(route => [routeKey(route.prefix, route.metric), route]));
}

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

function listDirectory(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/**
 * Asks for the default route, and no packet is sent. 192.0.2.1 (RFC 5737) is never anybody's, but a careful host
 * blackholes its network; then any address far away tells.
 */
const DEFAULT_ROUTE = ['route get 192.0.2.1', 'route get 9.9.9.9'];

/** What the configuration says of the uplink; what it leaves out is read from the default route. */
export type UplinkConfig = Pick<Config, 'uplink' | 'host' | 'gateway'>;

/** The uplink by itself, for what touches no domain. @throws Refusal as {@link observeStart} */
export function observeUplink(host: Host, given: UplinkConfig): Uplink {
  const [answer, other] = host.query(DEFAULT_ROUTE);
  return readUplink(given, answer ?? other);
}

function readUplink(given: UplinkConfig, answer: unknown[] | undefined): Uplink {
  const [route] = parse(routeSchema, answer ?? [], 'the default route');
  const device = given.uplink ?? route?.dev;
  const host = given.host ?? readPrefix(route?.prefsrc);
  if (device === undefined || host === undefined) {
    throw new Refusal(
      'Cannot find the uplink: there is no default route; set uplink, host and gateway in hnet.toml',
    );
  }
  return { device, host, gateway: given.gateway ?? readPrefix(route?.gateway) };
}

const readPrefix = (text: string | undefined): Prefix | undefined =>
  text === undefined ? undefined : parsePrefix(text);
