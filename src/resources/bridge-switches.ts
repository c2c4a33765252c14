/** The kernel's switches of a bridge. */
import { type BridgeSpec, hasIpv6 } from '../model/bridge.ts';
import type { View } from '../model/view.ts';
import { type Sysctl, sysctl, sysctlPath } from './action.ts';
import { forwardingOf } from './forwarding.ts';
import { ABSENT, changed, type Finding, PRESENT, type Resource } from './resource.ts';

/**
 * Per-interface switches of the kernel. arp_filter: the host answers and learns only what its routes say, so that made-up
 * senders don't fill the neighbour table, which all bridges share. forwarding, arp_ignore: a new interface has what the
 * host's default says.
 */
const switches = (name: string, isSix: boolean): Sysctl[] => [
  sysctl(forwardingOf(4, name), '1'),
  sysctl(sysctlPath('ipv4', name, 'arp_filter'), '1'),
  sysctl(sysctlPath('ipv4', name, 'arp_ignore'), '0'),
  sysctl(sysctlPath('ipv4', name, 'accept_redirects'), '0'),
  sysctl(sysctlPath('ipv6', name, 'accept_ra'), '0', true),
  sysctl(sysctlPath('ipv6', name, 'accept_redirects'), '0', true),
  sysctl(sysctlPath('ipv6', name, 'disable_ipv6'), isSix ? '0' : '1', !isSix),
  ...(isSix ? [sysctl(forwardingOf(6, name), '1')] : []),
];

/** Where the kernel keeps the switches of a bridge. */
export const switchPaths = (name: string): string[] => switches(name, true).map(({ path }) => path);

export function bridgeSysctls(spec: BridgeSpec): Resource {
  const { name } = spec;
  const wanted = switches(name, hasIpv6(spec));
  return {
    key: `settings ${name}`,
    label: `settings of ${name}`,
    probe: view => probeSysctls(wanted, view),
    up: () => wanted,
    down: () => [],
  };
}

function probeSysctls(wanted: readonly Sysctl[], view: View): Finding {
  for (const { path, value, ifPresent } of wanted) {
    const actual = view.sysctl(path);
    if (actual === undefined && !ifPresent) return ABSENT;
    if (actual !== undefined && actual !== value) return changed(`${path} is ${actual}`);
  }
  return PRESENT;
}
