import type { Family } from '../model/prefix.ts';
import type { View } from '../model/view.ts';
import { type Action, sysctlPath } from './action.ts';
import { ABSENT, changed, PRESENT, type Resource } from './resource.ts';

/** IPv6 has no per-interface switch that would do: forwarding on single interfaces alone forwards nothing. */
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
    up: view => [...(family === 6 ? keepAdvertised(uplink, view) : []), { kind: 'sysctl', path, value: '1' }],
    down: () => [],
  };
}

/**
 * A host that forwards takes no more router advertisements (accept_ra=1), and loses the default route that it has by
 * them at once: with 2 it goes on (ip-sysctl, accept_ra).
 */
function keepAdvertised(uplink: string, view: View): Action[] {
  const path = sysctlPath('ipv6', uplink, 'accept_ra');
  return view.sysctl(path) === '1' ? [{ kind: 'sysctl', path, value: '2' }] : [];
}

/** Whether the kernel looks at its entries of neighbours to answer for, on the uplink alone. */
export function proxying(uplink: string): Resource {
  const path = sysctlPath('ipv6', uplink, 'proxy_ndp');
  return {
    key: `proxying ${uplink}`,
    label: `neighbour proxy on ${uplink}`,
    probe: view => (view.sysctl(path) === '1' ? PRESENT : changed('it is off')),
    up: () => [{ kind: 'sysctl', path, value: '1' }],
    down: () => [],
  };
}
