/** Looks at the host for a start: briefly, at what the domain will touch. */

import type { Firewall } from '../../firewall/rules/backend.ts';
import { format } from '../../model/address.ts';
import type { Config } from '../../model/config.ts';
import { gatewayOf } from '../../model/names.ts';
import { contains, nth, type Prefix, size } from '../../model/prefix.ts';
import { gatewayWithin, type Uplink } from '../../model/uplink.ts';
import { EMPTY_VIEW, type Route, type View } from '../../model/view.ts';
import type { BridgeSpec } from '../../resources/bridge.ts';
import { routeKey, toPoolRoute } from '../../resources/route.ts';
import type { Host } from '../host.ts';
import { toLinks, toRoutes } from './ip.ts';
import { look, sysctl } from './parts.ts';
import { DEFAULT_ROUTE, readUplink, type UplinkConfig } from './uplink.ts';

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
    scopes: bridges.flatMap(({ scope }) => eighths(scope).map(lookup)),
    prefixes: prefixes.map(prefix => lookup(nth(prefix, 0n))),
    pools: given.pools.map(pool => lookup(nth(pool, size(pool) - 1n))),
  };
  const answers = host.query([...DEFAULT_ROUTE, ...Object.values(queries).flat()]);
  const uplink = readUplink(given, answers.splice(0, DEFAULT_ROUTE.length));
  const take = (count: number): unknown[] => answers.splice(0, count).flatMap(answer => answer ?? []);
  const links = toLinks(take(queries.links.length));
  const scopes = toRoutes(4, take(queries.scopes.length));
  const matches = prefixes.flatMap(({ family }) => [...toRoutes(family, take(1))]);
  const samples = given.pools.flatMap(({ family }) => [...toRoutes(family, take(1))]);
  return {
    uplink,
    routes: [...scopes.values()],
    view: {
      ...EMPTY_VIEW,
      ...links,
      routes: new Map([
        ...gatewayRoute(gatewayWithin(given.pools, uplink), host),
        ...poolRoutes(given.pools, [...matches, ...samples]),
        ...matches,
      ]),
      filter: look(host, firewall.looks.brief),
      sysctl,
    },
  };
}

/** Which route of the table an address takes. */
const lookup = (address: Prefix): string => `route get fibmatch ${format(address)}`;

/** An address in each eighth of a scope: what is routed elsewhere shows, unless it is smaller than that. */
const eighths = (scope: Prefix): Prefix[] => [
  gatewayOf(scope),
  ...[1n, 2n, 3n, 4n, 5n, 6n, 7n].map(part => nth(scope, (size(scope) * part) / 8n)),
];

/**
 * The routes of the pools themselves, by what became of addresses in them, the domain's own and each pool's last: a lookup
 * that ends in one fails, and one that finds a route wider than the pool has met none. Where a domain holds that last
 * address, its route hides the pool's, which then counts as there.
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

/** That of a gateway which lies in a pool, where there is one. */
const gatewayRoute = (gateway: Prefix | undefined, host: Host): View['routes'] =>
  gateway === undefined ? new Map() : toRoutes(6, host.query([`route get fibmatch ${format(gateway)}`])[0]);

/** The links of these names that exist. */
export function observeLinks(host: Host, names: readonly string[]): View['links'] {
  return toLinks(host.query(names.map(name => `address show dev ${name}`)).flatMap(answer => answer ?? []))
    .links;
}
