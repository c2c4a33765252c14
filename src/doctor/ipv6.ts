import { hasTool } from '../host/tools.ts';
import { format } from '../model/address.ts';
import { type Config, isOnLink } from '../model/config.ts';
import { addressesOf } from '../model/domain.ts';
import { isSingle } from '../model/prefix.ts';
import type { Uplink } from '../model/uplink.ts';
import { type Diagnosis, diagnosis } from './diagnosis.ts';
import { type Facts, knownValue } from './facts.ts';

/** What IPv6 needs; checked if there is an IPv6 pool. */
export function checkIpv6(facts: Facts): Diagnosis[] {
  const { config, uplinks } = facts;
  if (config.is === 'unknown' || uplinks.is === 'unknown') return [];
  const needing = uplinks.value.filter(({ pools }) => pools.some(({ family }) => family === 6));
  return [
    ...needing.flatMap(uplink => [...checkRoute(uplink), ...checkAdvertised(uplink, facts)]),
    ...checkResponder(config.value, facts),
  ];
}

function checkRoute({ device, gateway6 }: Uplink): Diagnosis[] {
  if (gateway6 !== undefined) return [];
  return diagnosis(
    'there is no IPv6 default route with a gateway',
    'no VM reaches anything by IPv6',
    `ip -6 route add default via fe80::1 dev ${device}`,
  );
}

/** A host that forwards ignores advertisements unless accept_ra is 2; its route then expires. */
function checkAdvertised({ device }: Uplink, { output, file }: Facts): Diagnosis[] {
  const routes = output('ip', '-6', 'route', 'show', 'default');
  const accepted = file(`/proc/sys/net/ipv6/conf/${device}/accept_ra`)?.text.trim();
  if (!/ proto ra /.test(routes) || accepted === '2') return [];
  return diagnosis(
    `the IPv6 default route comes from router advertisements, and accept_ra of ${device} is ${accepted}`,
    'a host that forwards ignores them, and loses the route',
    `sysctl -w net.ipv6.conf.${device}.accept_ra=2`,
  );
}

/** The kernel answers neighbour solicitations for single addresses only; whole prefixes need ndppd. */
function checkResponder(config: Config, { domains, file }: Facts): Diagnosis[] {
  if (!isOnLink(6, config)) return [];
  const prefixes = (knownValue(domains) ?? [])
    .flatMap(({ next }) => addressesOf(next).map(({ prefix }) => prefix))
    .filter(prefix => prefix.family === 6 && !isSingle(prefix));
  if (prefixes.length === 0 || hasTool('ndppd', path => file(path) !== undefined)) return [];
  return diagnosis(
    `ndppd is missing, and ${prefixes.map(format).join(', ')} must be answered for on the wire`,
    'the VM with such a prefix does not start',
    'apt-get install ndppd',
  );
}
