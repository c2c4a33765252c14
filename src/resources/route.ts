import { format, formatLong, routeKey } from '../model/address.ts';
import type { Address } from '../model/bridge.ts';
import { MOVE_STATES, type MoveState, metricOf, metricsOf, PEER_METRIC } from '../model/move.ts';
import { HOST_METRIC, POOL_METRIC, ROUTE_PROTOCOL } from '../model/names.ts';
import { equal, type Family, type Prefix } from '../model/prefix.ts';
import type { NearGateway } from '../model/uplink.ts';
import type { Route, View } from '../model/view.ts';
import { type Action, ip } from './action.ts';
import { ABSENT, changed, type Finding, foreign, PRESENT, type Resource } from './resource.ts';

const PROTOCOL = ['proto', String(ROUTE_PROTOCOL)];
const isOurs = (protocol: string): boolean => protocol === String(ROUTE_PROTOCOL);

export const hostRouteKey = (prefix: Prefix, device: string): string =>
  `route ${formatLong(prefix)} ${device}`;
export const poolRouteKey = (pool: Prefix): string => `pool ${formatLong(pool)}`;

/** An address as its route needs it. */
type Routed = Pick<Address, 'prefix' | 'bridge' | 'via'>;

/**
 * The host route: what makes an address the domain's. The reverse-path check reads it back. An address with `via` is routed
 * on by the domain: without it the host would look for each address on the bridge. The kernel keeps such a route when that
 * of `via` goes. While the domain moves between hosts, `state` decides the metric, and no other may stand beside it.
 */
export function hostRoute(address: Routed, state?: MoveState): Resource {
  const { prefix, bridge, via } = address;
  const wanted = metricOf(prefix.family, state);
  const beside = (view: View): number[] =>
    metricsOf(prefix.family).filter(one => one !== wanted && isOwn(routeAt(prefix, one, view), bridge));
  return {
    key: hostRouteKey(prefix, bridge),
    isRouting: true,
    label: `route ${format(prefix)} to ${bridge}${via === undefined ? '' : ` via ${format(via)}`}`,
    probe: view => {
      const [other] = beside(view);
      const found = probeRoute(address, routeAt(prefix, wanted, view));
      if (other === undefined || found.is === 'foreign' || found.is === 'changed') return found;
      return changed(`its metric is ${other}${found.is === 'present' ? ' too' : ''}, not ${wanted}`);
    },
    up: view => [...putRoute(address, wanted), ...dropRoutes(address, beside(view), wanted)],
    down: view =>
      [
        ...(state === undefined ? beside(view) : metricsOf(prefix.family).filter(one => one !== wanted)),
        wanted,
      ]
        .toSorted((a, b) => b - a)
        .map(metric => dropRoute(address, metric)),
  };
}

/**
 * Leads to a domain as a state has it, whatever its route was before, without a look at the host: a moment counts.
 * Of these actions those fail that delete what isn't there.
 */
export function turnRoute(address: Routed, state: MoveState | undefined): Action[] {
  const wanted = metricOf(address.prefix.family, state);
  // An arriving domain can't have the route of one that is here, and deleting that may delete another for a moment.
  const others = metricsOf(address.prefix.family).filter(
    one => one !== wanted && (state === 'leaving' || one !== HOST_METRIC[address.prefix.family]),
  );
  return [...putRoute(address, wanted), ...dropRoutes(address, others, wanted)];
}

const routeAt = (prefix: Prefix, metric: number, { routes }: View): Route | undefined =>
  routes.get(routeKey(prefix, metric));

const isOwn = (route: Route | undefined, bridge: string): boolean =>
  route !== undefined && isOurs(route.protocol) && route.dev === bridge;

function probeRoute({ bridge, via }: Routed, route: Route | undefined): Finding {
  if (route === undefined) return ABSENT;
  if (!isOurs(route.protocol))
    return foreign(`a route of protocol ${route.protocol} to ${route.dev ?? route.type} exists`);
  if (route.dev !== bridge) return changed(`it leads to ${route.dev ?? route.type}`);
  const hop = route.gateway;
  if (hop === undefined || via === undefined ? hop === via : equal(hop, via)) return PRESENT;
  return changed(hop === undefined ? 'it has no next hop' : `its next hop is ${format(hop)}`);
}

/** IPv4's usual metric is the kernel's default. */
const metricWords = (metric: number): string[] => [
  ...(metric === 0 ? [] : ['metric', String(metric)]),
  ...PROTOCOL,
];

/**
 * A next hop that is on no subnet is `onlink`, or neither IPv4 nor BIRD takes it. IPv6 then insists that the best route to it
 * leads to the same interface (ip6_route_check_nh_onlink), and while a peer has the domain that is the peer's. So the next hop
 * is led here for the moment in which its route is put; not by a route of our protocol, which BIRD would tell the others.
 */
function putRoute({ prefix, bridge, via }: Routed, metric: number): Action[] {
  const hop = via === undefined ? [] : ['via', format(via)];
  const words = [...hop, 'dev', bridge, ...(via === undefined ? [] : ['onlink']), ...metricWords(metric)];
  const put = ip('route', 'replace', formatLong(prefix), ...words);
  if (via?.family !== 6 || metric < PEER_METRIC) return [put];
  const lead = [formatLong(via), 'dev', bridge, 'metric', '1', 'proto', STATIC];
  return [ip('route', 'replace', ...lead, ...IN_CASE), put, ip('route', 'delete', ...lead)];
}

/** As a number: after another number `ip -batch` takes the last name for that one (rtnl_rtprot_a2n). */
const STATIC = '4';
/** Should nobody come to delete it: in seconds. */
const IN_CASE = ['expires', '10'];

const dropRoute = ({ prefix, bridge }: Routed, metric: number): Action =>
  ip('route', 'delete', formatLong(prefix), 'dev', bridge, ...metricWords(metric));

/**
 * Deletes what stands beside the wanted route. For IPv4 the kernel takes 0 as any metric, and deletes the first: it goes last,
 * and the wanted route is put again, in case that it was the only one left.
 */
function dropRoutes(address: Routed, others: readonly number[], wanted: number): Action[] {
  const drops = others.toSorted((a, b) => b - a).map(metric => dropRoute(address, metric));
  return others.includes(0) ? [...drops, ...putRoute(address, wanted)] : drops;
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
    affects: () => ({ families: [gateway.family], device }),
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
  const state = MOVE_STATES.find(one => metricOf(prefix.family, one) === metric);
  return state !== undefined || metric === HOST_METRIC[prefix.family]
    ? hostRoute({ prefix, bridge: dev }, state)
    : gatewayRoute({ gateway: prefix, device: dev });
}
