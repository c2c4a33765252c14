import { ABSENT, PRESENT, type Resource } from './resource.ts';

const FORWARDING = '/proc/sys/net/ipv4/ip_forward';

/** Routing itself. It stays on when hnet goes: others on the host may have come to rely on it. */
export const forwarding: Resource = {
  label: 'IPv4 forwarding',
  probe: view => (view.sysctl(FORWARDING) === '1' ? PRESENT : ABSENT),
  up: () => [{ kind: 'sysctl', path: FORWARDING, value: '1' }],
  down: () => [],
};
