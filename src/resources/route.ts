import { format, formatLong, routeKey } from '../model/address.ts';
import { HOST_METRIC, POOL_METRIC, ROUTE_PROTOCOL } from '../model/names.ts';
import { equal, type Family, type Prefix } from '../model/prefix.ts';
import type { NearGateway } from '../model/uplink.ts';
import type { Route } from '../model/view.ts';
import { ip } from './action.ts';
import { ABSENT, changed, foreign, PRESENT, type Resource } from './resource.ts';

const PROTOCOL = ['proto', String(ROUTE_PROTOCOL)];
const isOurs = (protocol: string): boolean => protocol === String(ROUTE_PROTOCOL);

export const hostRouteKey = (prefix: Prefix, device: string): string =>
  `route ${formatLong(prefix)} ${device}`;
export const poolRouteKey = (pool: Prefix): string => `pool ${formatLong(pool)}`;

/**
 * The host route: what makes an address the domain's. The reverse-path check reads it back.
 * @param via the domain's own address that routes the prefix on: without it the host would look for each address on the
 * bridge. The kernel keeps such a route when that of `via` goes.
 */
export function hostRoute(prefix: Prefix, bridge: string, via?: Prefix): Resource {
  const metric = HOST_METRIC[prefix.family];
  // IPv4's is the kernel's default.
  const words = prefix.family === 4 ? PROTOCOL : ['metric', String(metric), ...PROTOCOL];
  return {
    key: hostRouteKey(prefix, bridge),
    isRouting: true,
    label: `route ${format(prefix)} to ${bridge}${via === undefined ? '' : ` via ${format(via)}`}`,
    probe: view => {
      const route = view.routes.get(routeKey(prefix, metric));
      if (route === undefined) return ABSENT;
      if (!isOurs(route.protocol))
        return foreign(`a route of protocol ${route.protocol} to ${route.dev ?? route.type} exists`);
      if (route.dev !== bridge) return changed(`it leads to ${route.dev ?? route.type}`);
      const hop = route.gateway;
      if (hop === undefined || via === undefined ? hop === via : equal(hop, via)) return PRESENT;
      return changed(hop === undefined ? 'it has no next hop' : `its next hop is ${format(hop)}`);
    },
    up: () => [
      ip(
        ...['route', 'replace', formatLong(prefix)],
        ...(via === undefined ? [] : ['via', format(via)]),
        ...['dev', bridge, ...(via === undefined ? [] : ['onlink']), ...words],
      ),
    ],
    down: () => [ip('route', 'delete', formatLong(prefix), 'dev', bridge, ...words)],
  };
}

/** Beside a route to the gateway that the host may have itself. */
const GATEWAY_METRIC: Readonly<Record<Family, number>> = { 4: 1, 6: HOST_METRIC[6] };

/** The route to a gateway inside of a pool, which would end in the pool's own route; one of anybody's will do. */
export function gatewayRoute({ gateway, device }: NearGateway): Resource {
  const metric = GATEWAY_METRIC[gateway.family];
  const words = [formatLong(gateway), 'dev', device, 'metric', String(metric), ...PROTOCOL];
  return {
    key: hostRouteKey(gateway, device),
    isRouting: true,
    label: `route ${format(gateway)} to ${device}`,
    probe: view =>
      [HOST_METRIC[gateway.family], metric].some(
        one => view.routes.get(routeKey(gateway, one))?.dev === device,
      )
        ? PRESENT
        : ABSENT,
    up: () => [ip('route', 'replace', ...words)],
    down: () => [ip('route', 'delete', ...words)],
  };
}

/** What happens to a packet for an address that nobody holds; IPv6 tells the sender (RFC 7084, WAA-8 and L-14). */
const DEAD_END = { 4: 'blackhole', 6: 'unreachable' } as const;

/**
 * Where packets for a pool's unassigned addresses end. Otherwise they would follow the default route to the provider, and
 * come back until their TTL ends; or, in a pool that is the uplink's own subnet, each would be solicited on the wire.
 */
export function poolRoute(pool: Prefix): Resource {
  const { type, metric } = toPoolRoute(pool);
  const words = [type, formatLong(pool), 'metric', String(metric), ...PROTOCOL];
  return {
    key: poolRouteKey(pool),
    isRouting: true,
    label: `${type} ${format(pool)}`,
    probe: view => {
      const route = view.routes.get(routeKey(pool, metric));
      if (route === undefined) return ABSENT;
      return route.type === type && isOurs(route.protocol) ? PRESENT : changed(`it is ${route.type}`);
    },
    up: () => [ip('route', 'replace', ...words)],
    down: () => [ip('route', 'delete', ...words)],
  };
}

/** The route of a pool as it stands in the view. */
export const toPoolRoute = (prefix: Prefix): Route => ({
  prefix,
  type: DEAD_END[prefix.family],
  dev: undefined,
  gateway: undefined,
  protocol: String(ROUTE_PROTOCOL),
  metric: POOL_METRIC[prefix.family],
});

/** Whether a route is a pool's, of whatever configuration. */
export const isPoolRoute = ({ prefix: { family }, type, protocol }: Route): boolean =>
  type === DEAD_END[family] && isOurs(protocol);

/** The resource that a route of ours is; undefined for anybody else's. */
export function ownRoute(route: Route): Resource | undefined {
  const { prefix, type, dev, protocol, metric } = route;
  if (isPoolRoute(route)) return poolRoute(prefix);
  if (!isOurs(protocol) || type !== 'unicast' || dev === undefined) return undefined;
  return metric === HOST_METRIC[prefix.family]
    ? hostRoute(prefix, dev)
    : gatewayRoute({ gateway: prefix, device: dev });
}
