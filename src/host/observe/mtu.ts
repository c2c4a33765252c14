/** How large packets may be that go out by an interface, in bytes. */
import { readShortIfThere } from '../files.ts';
import type { RouteAnswer } from './ip.ts';

/** Of the interface itself; undefined of one that is gone. */
export function interfaceMtu(device: string): number | undefined {
  const mtu = Number(readShortIfThere(`/sys/class/net/${device}/mtu`)?.trim());
  return mtu > 0 ? mtu : undefined;
}

/** By the interface and by the default routes out of it. */
export function mtuThrough(device: string, routes: readonly (RouteAnswer | undefined)[]): number | undefined {
  const own = interfaceMtu(device);
  if (own === undefined) return undefined;
  const ofRoutes = routes.flatMap(route => (route === undefined || isLearnt(route) ? [] : route.metrics));
  return Math.min(own, ...ofRoutes.flatMap(({ mtu }) => mtu ?? []));
}

/** An IPv4 route that expires is what a router somewhere has said about one destination. */
const isLearnt = ({ expires, dst }: RouteAnswer): boolean => expires !== undefined && !dst.includes(':');
