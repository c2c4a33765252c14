import type { Family } from '../model/prefix.ts';
import type { View } from '../model/view.ts';
import { type Action, type Sysctl, sysctl, sysctlPath } from './action.ts';
import { ABSENT, changed, PRESENT, type Resource } from './resource.ts';

/** The switch for the whole host. IPv6 forwards nothing while only single interfaces are switched on. */
export const FORWARDING: Readonly<Record<Family, string>> = {
  4: '/proc/sys/net/ipv4/ip_forward',
  6: '/proc/sys/net/ipv6/conf/all/forwarding',
};

/**
 * The switch of one interface. IPv4 forwards what comes in by those that are on; IPv6 answers there in the place of others,
 * and as a router.
 */
export const forwardingOf = (family: Family, device: string): string =>
  sysctlPath(family === 4 ? 'ipv4' : 'ipv6', device, 'forwarding');

/** Routing itself. It stays on when hnet goes: others on the host may have come to rely on it. */
export function forwarding(family: Family, uplink: string): Resource {
  const [all, own] = [FORWARDING[family], forwardingOf(family, uplink)];
  return {
    key: `forwarding ${family} ${uplink}`,
    isRouting: true,
    affects: () => ({ families: [family], device: uplink }),
    label: `IPv${family} forwarding`,
    probe: view => {
      if (view.sysctl(all) !== '1') return ABSENT;
      return view.sysctl(own) === '0' ? changed(`it is off on ${uplink}`) : PRESENT;
    },
    up: view => [
      ...(family === 6 ? keepAdvertised(uplink, view) : []),
      // It switches every interface, also those that somebody has switched off.
      ...(view.sysctl(all) === '1' ? [] : [sysctl(all, '1')]),
      sysctl(own, '1', true),
    ],
    down: () => [],
  };
}

/** A host that forwards loses the default route that advertisements gave it, unless accept_ra is 2. */
function keepAdvertised(uplink: string, view: View): Action[] {
  const path = sysctlPath('ipv6', uplink, 'accept_ra');
  return view.sysctl(path) === '1' ? [sysctl(path, '2')] : [];
}

/**
 * Lets packets come by the wire whose way back is another: what one host of a cluster passes on to the next, which answers
 * by its own uplink. A strict check of the reverse path (ip-sysctl.rst, rp_filter) would drop them; it takes the larger value
 * of the interface and of all interfaces, and our filter does what it would do for addresses of ours.
 */
export function asymmetry(wire: string): Resource {
  const [own, all] = [wire, 'all'].map(name => sysctlPath('ipv4', name, 'rp_filter')) as [string, string];
  const isStrict = ({ sysctl: read }: View): boolean =>
    read(own) !== LOOSE && [own, all].some(path => read(path) === '1');
  return {
    key: `asymmetry ${wire}`,
    affects: () => ({ families: [4] }),
    label: `no strict reverse-path check on ${wire}`,
    probe: view => (isStrict(view) ? changed('rp_filter is 1') : PRESENT),
    up: () => [sysctl(own, LOOSE)],
    down: () => [],
  };
}

const LOOSE = '2';

/**
 * Makes the kernel look, on an uplink alone, at the IPv6 neighbours that it is to answer for. In IPv4 it does so anyway, but
 * waits up to 0.8 s before it answers.
 */
export function proxying(family: Family, uplink: string): Resource {
  const { path, value } = PROXYING[family](uplink);
  return {
    key: `proxying ${family} ${uplink}`,
    affects: () => ({ families: [family], wire: uplink }),
    label: `IPv${family} neighbour proxy on ${uplink}`,
    probe: view => (view.sysctl(path) === value ? PRESENT : changed(`${path} is ${view.sysctl(path)}`)),
    up: () => [sysctl(path, value)],
    down: view => (family === 4 && view.sysctl(path) === value ? [sysctl(path, PROXY_DELAY, true)] : []),
  };
}

/** The kernel's default, in hundredths of a second (arp(7)). */
const PROXY_DELAY = '80';

const PROXYING: Readonly<Record<Family, (uplink: string) => Sysctl>> = {
  4: uplink => sysctl(`/proc/sys/net/ipv4/neigh/${uplink}/proxy_delay`, '0'),
  6: uplink => sysctl(sysctlPath('ipv6', uplink, 'proxy_ndp'), '1'),
};
