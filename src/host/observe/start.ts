/** Looks at the host for a start: briefly, at what the domain will touch. */
import type { Firewall } from '../../firewall/rules/backend.ts';
import { format, formatLong, routeKey } from '../../model/address.ts';
import type { BridgeSpec } from '../../model/bridge.ts';
import type { Config } from '../../model/config.ts';
import { hostAddresses } from '../../model/host-address.ts';
import { gatewayOf } from '../../model/names.ts';
import { contains, type Family, isAmong, isSingle, nth, type Prefix, size } from '../../model/prefix.ts';
import { gatewaysWithin, type NearGateway, type Uplinks } from '../../model/uplink.ts';
import { EMPTY_VIEW, type FilterView, type Route, type View } from '../../model/view.ts';
import { toPoolRoute } from '../../resources/route.ts';
import type { Host } from '../host.ts';
import { type Answer, about, allFound } from '../query.ts';
import { toLinks, toProxies, toRoutes } from './ip.ts';
import { look, sysctl } from './parts.ts';
import { toVerdict } from './route-get.ts';
import { readDhcpServers, readNdpServers } from './servers.ts';
import { findWays, readUplinks, type UplinkConfig, uplinkQueries } from './uplink.ts';

export interface StartView {
  readonly uplinks: Uplinks;
  readonly view: View;
  /** Routes that lead to the scopes of the domain, or to an eighth of one. */
  readonly routes: readonly Route[];
}

export interface FirstLook extends StartView {
  /** What of the domain's addresses the host takes for its own. */
  readonly own: readonly Prefix[];
}

export interface Subject {
  readonly bridges: readonly BridgeSpec[];
  readonly prefixes: readonly Prefix[];
  /** Whether the host answers for any of its addresses on an uplink's wire. */
  readonly isAnswered: boolean;
}

type Given = UplinkConfig & Pick<Config, 'pools' | 'cluster'>;

/**
 * Looks only at what a start touches, so that it costs the same with 4,000 domains as with one. Entries of sets and DHCP
 * servers count as absent, for bringing them up again does no harm. Routes are looked up and never listed: to list some,
 * `ip` takes all of them from the kernel.
 */
export function observeStart(host: Host, firewall: Firewall, given: Given, subject: Subject): FirstLook {
  const { view, ...rest } = observeAround(host, given, subject, []);
  return { ...rest, view: { ...view, filter: lookAtFilter(host, firewall) } };
}

/** The filter as a start sees it: briefly, if that is enough. */
export function lookAtFilter(host: Host, firewall: Firewall): FilterView {
  const filter = look(host, firewall.looks.brief);
  if (firewall.sufficesForStart(filter)) return filter;
  return { ...filter, sets: look(host, firewall.looks.own).sets };
}

/**
 * The same for a domain that runs, with its entries in sets and its servers: to add an entry again would begin its counters
 * anew, and to start a server again would end the one that runs.
 */
export function observeRunning(
  host: Host,
  firewall: Firewall,
  given: Given,
  subject: Subject,
  taps: readonly string[],
): StartView {
  const { view, ...rest } = observeAround(host, given, subject, taps);
  const filter = look(host, firewall.looks.own);
  const names = subject.bridges.map(({ name }) => name);
  // In a cluster its bridges answer for the other hosts.
  const hasProxies = subject.isAnswered || given.cluster !== undefined;
  const asked = hasProxies ? host.query({ all: 'neigh show proxy' }) : undefined;
  const proxies = toProxies(asked?.all.found ?? []);
  return {
    ...rest,
    view: { ...view, filter, proxies, dhcp: readDhcpServers(host, names), ndp: readNdpServers() },
  };
}

/** Links and routes around a domain. */
function observeAround(
  host: Host,
  given: Given,
  { bridges, prefixes }: Subject,
  taps: readonly string[],
): FirstLook {
  const ways = findWays(host, given);
  const answers = host.query({
    ...uplinkQueries(ways),
    links: showLinks([...bridges.map(({ name }) => name), ...taps]),
    scopes: scopeLookups(bridges.map(({ scope }) => scope)),
    prefixes: lookup(prefixes.map(prefix => nth(prefix, 0n))),
    // To list addresses takes all of them from the kernel; a lookup doesn't, but asks for one address only.
    inside: about(
      prefixes.filter(prefix => !isSingle(prefix)),
      prefix => `address show to ${formatLong(prefix)}`,
    ),
    pools: lookup(given.pools.map(pool => nth(pool, size(pool) - 1n))),
  });
  const uplinks = readUplinks(host, given, ways, answers);
  const routes = new Map([
    ...gatewayRoutes(gatewaysWithin(given.pools, uplinks), host),
    ...poolRoutes(given.pools, [...answers.prefixes, ...answers.pools]),
    ...routesFound(answers.prefixes),
  ]);
  return {
    uplinks,
    own: ownOf(prefixes, answers.prefixes, answers.inside),
    routes: [...routesFound(answers.scopes).values()],
    view: { ...EMPTY_VIEW, ...toLinks(allFound(answers.links)), routes, sysctl },
  };
}

const lookup = (addresses: readonly Prefix[]) =>
  about(addresses, address => `route get fibmatch ${format(address)}`);

const showLinks = (names: readonly string[]) => about(names, name => `address show dev ${name}`);

const routesFound = (answers: ReadonlyMap<Prefix, Answer>): View['routes'] =>
  new Map([...answers].flatMap(([{ family }, answer]) => [...toRoutes(family, answer.found)]));

/** Those prefixes of which the host takes something for its own. */
function ownOf(
  prefixes: readonly Prefix[],
  lookups: ReadonlyMap<Prefix, Answer>,
  inside: ReadonlyMap<Prefix, Answer>,
): Prefix[] {
  const delivered = [...lookups]
    .filter(([, answer]) => toVerdict(answer).is === 'delivered')
    .map(([one]) => one);
  return prefixes.filter(prefix =>
    isSingle(prefix)
      ? isAmong(delivered, prefix)
      : hostAddresses(toLinks(inside.get(prefix)?.found ?? [])).some(({ address }) =>
          contains(prefix, address),
        ),
  );
}

/** An address in each eighth of a scope: what is routed elsewhere shows, unless it is smaller than that. */
const eighths = (scope: Prefix): Prefix[] => [
  gatewayOf(scope),
  ...[1n, 2n, 3n, 4n, 5n, 6n, 7n].map(part => nth(scope, (size(scope) * part) / 8n)),
];

const scopeLookups = (scopes: readonly Prefix[]) => lookup(scopes.flatMap(eighths));

/** The routes that lead to some scopes, or to an eighth of one. */
export const routesToScopes = (host: Host, scopes: readonly Prefix[]): readonly Route[] => [
  ...routesFound(host.query({ found: scopeLookups(scopes) }).found).values(),
];

/** The routes of those pools that have one, by what lookups of the domain's addresses and of each pool's last found. */
const poolRoutes = (pools: readonly Prefix[], lookups: [Prefix, Answer][]): [string, Route][] =>
  pools
    .filter(pool =>
      lookups.every(([address, answer]) => !contains(pool, address) || isServed(pool, address, answer)),
    )
    .map(pool => [routeKey(pool, toPoolRoute(pool).metric), toPoolRoute(pool)]);

/**
 * What `ip` says of a lookup that ends in a pool's route: in a blackhole, or in IPv6 in an unreachable. Where there is no
 * route it is "Network is unreachable".
 */
const DEAD_END: Readonly<Record<Family, string>> = {
  4: 'RTNETLINK answers: Invalid argument',
  6: 'RTNETLINK answers: No route to host',
};

/** Whether a lookup ended in the pool's route or a domain's, which hides it. A wider route shows that the pool has none. */
const isServed = (pool: Prefix, { family }: Prefix, answer: Answer): boolean =>
  answer.failure === undefined
    ? [...toRoutes(family, answer.found).values()].some(({ prefix }) => prefix.length >= pool.length)
    : answer.failure.includes(DEAD_END[family]);

/** The routes of gateways that lie in pools. */
const gatewayRoutes = (near: readonly NearGateway[], host: Host): View['routes'] =>
  near.length === 0
    ? new Map()
    : routesFound(host.query({ routes: lookup(near.map(({ gateway }) => gateway)) }).routes);

/** The links of these names that exist. */
export const observeLinks = (host: Host, names: readonly string[]): View['links'] =>
  toLinks(allFound(host.query({ links: showLinks(names) }).links)).links;
