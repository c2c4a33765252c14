import type { Family } from '../model/prefix.ts';
import type { View } from '../model/view.ts';
import { type Action, sysctl, sysctlPath } from './action.ts';
import { ABSENT, changed, PRESENT, type Resource } from './resource.ts';

/** IPv6 forwards nothing while only single interfaces are switched on. */
export const FORWARDING: Readonly<Record<Family, string>> = {
  4: '/proc/sys/net/ipv4/ip_forward',
  6: '/proc/sys/net/ipv6/conf/all/forwarding',
};

/** Routing itself. It stays on when hnet goes: others on the host may have come to rely on it. */
export function forwarding(family: Family, uplink: string): Resource {
  const path = FORWARDING[family];
  return {
    key: `forwarding ${family}`,
    label: `IPv${family} forwarding`,
    probe: view => (view.sysctl(path) === '1' ? PRESENT : ABSENT),
    up: view => [...(family === 6 ? keepAdvertised(uplink, view) : []), sysctl(path, '1')],
    down: () => [],
  };
}

/** A host that forwards loses the default route that advertisements gave it, unless accept_ra is 2. */
function keepAdvertised(uplink: string, view: View): Action[] {
  const path = sysctlPath('ipv6', uplink, 'accept_ra');
  return view.sysctl(path) === '1' ? [sysctl(path, '2')] : [];
}

/** Makes the kernel look, on the uplink alone, at the neighbours that it is to answer for. */
export function proxying(uplink: string): Resource {
  const path = sysctlPath('ipv6', uplink, 'proxy_ndp');
  return {
    key: `proxying ${uplink}`,
    label: `neighbour proxy on ${uplink}`,
    probe: view => (view.sysctl(path) === '1' ? PRESENT : changed('it is off')),
    up: () => [sysctl(path, '1')],
    down: () => [],
  };
}
