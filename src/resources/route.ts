import { ip } from '../action.ts';
import { format, formatLong, type Prefix } from '../address.ts';
import { BLACKHOLE_METRIC, ROUTE_PROTOCOL } from '../names.ts';
import { routeKey } from '../view.ts';
import { ABSENT, changed, foreign, PRESENT, type Resource } from './resource.ts';

const PROTOCOL = ['proto', String(ROUTE_PROTOCOL)];
const isOurs = (protocol: string): boolean => protocol === String(ROUTE_PROTOCOL);

/** The host route: what makes an address the domain's. The reverse-path check reads it back. */
export function hostRoute(prefix: Prefix, bridge: string): Resource {
  return {
    label: `route ${format(prefix)} to ${bridge}`,
    probe: view => {
      const route = view.routes.get(routeKey(prefix, 0));
      if (route === undefined) return ABSENT;
      if (!isOurs(route.protocol))
        return foreign(`a route of protocol ${route.protocol} to ${route.dev ?? route.type} exists`);
      return route.dev === bridge ? PRESENT : changed(`it leads to ${route.dev ?? route.type}`);
    },
    up: () => [ip('route', 'replace', formatLong(prefix), 'dev', bridge, ...PROTOCOL)],
    down: () => [ip('route', 'delete', formatLong(prefix), 'dev', bridge, ...PROTOCOL)],
  };
}

/**
 * Where packets for a pool's unassigned addresses end. Without it they would follow the default route back to
 * the provider, who sends them here again until their TTL runs out.
 */
export function blackhole(pool: Prefix): Resource {
  const metric = ['metric', String(BLACKHOLE_METRIC)];
  return {
    label: `blackhole ${format(pool)}`,
    probe: view => {
      const route = view.routes.get(routeKey(pool, BLACKHOLE_METRIC));
      if (route === undefined) return ABSENT;
      return route.type === 'blackhole' && isOurs(route.protocol) ? PRESENT : changed(`it is ${route.type}`);
    },
    up: () => [ip('route', 'replace', 'blackhole', formatLong(pool), ...metric, ...PROTOCOL)],
    down: () => [ip('route', 'delete', 'blackhole', formatLong(pool), ...metric, ...PROTOCOL)],
  };
}
