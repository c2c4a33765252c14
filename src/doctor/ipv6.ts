import { vacancy } from '../assign/allocate.ts';
import { holdingsOf } from '../assign/inventory.ts';
import { hasTool } from '../host/tools.ts';
import { format } from '../model/address.ts';
import type { Config } from '../model/config.ts';
import { addressesOf } from '../model/domain.ts';
import { hostAddresses } from '../model/host-address.ts';
import { CONFIG_FILE } from '../model/names.ts';
import { isSingle, nth, type Prefix, size } from '../model/prefix.ts';
import { ownAddresses, type Uplink } from '../model/uplink.ts';
import { type Diagnosis, diagnosis } from './diagnosis.ts';
import { type Facts, knownValue } from './facts.ts';

/** What IPv6 needs; checked if there is an IPv6 pool. */
export function checkIpv6(facts: Facts): Diagnosis[] {
  const { config, uplink } = facts;
  if (config.is === 'unknown' || uplink.is === 'unknown') return [];
  const pools = config.value.pools.filter(({ family }) => family === 6);
  if (pools.length === 0) return [];
  return [
    ...checkRoute(uplink.value),
    ...checkAdvertised(uplink.value, facts),
    ...checkDelivery(pools, config.value, uplink.value, facts),
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

/** Whether the provider routes the pools here, or looks for their addresses on the wire. */
function checkDelivery(
  pools: readonly Prefix[],
  { ipv6 }: Config,
  uplink: Uplink,
  facts: Facts,
): Diagnosis[] {
  const { device, gateway6 } = uplink;
  if (ipv6 === 'on-link' || gateway6 === undefined) return [];
  const domains = knownValue(facts.domains) ?? [];
  const isFree = vacancy({
    holdings: domains.flatMap(holdingsOf),
    own: ownAddresses(uplink),
    host: hostAddresses(facts.network),
  });
  return pools.flatMap(pool => {
    const address = lastOf(pool).find(isFree);
    const arrives = address === undefined || facts.arrives(address, gateway6, device);
    if (address === undefined || arrives === true) return [];
    const wire = `tcpdump -ni ${device} icmp6`;
    if (arrives === undefined)
      return diagnosis(
        `whether the provider routes the pool ${format(pool)} here can't be found out`,
        'the IPv6 gateway does not answer, or no raw socket can be had',
        `${wire}  # and ping an address of the pool from outside: does the gateway solicit it?`,
      );
    return diagnosis(
      `the gateway's answer to ${format(address)}, an address of the pool ${format(pool)}, did not come here`,
      "the provider doesn't route the pool to this host, or looks for its addresses on the wire",
      `set ipv6 = "on-link" in ${CONFIG_FILE}, then: hnet sync  # unless the pool is to be routed here yet`,
    );
  });
}

/** Candidates from the end of a pool, where addresses are assigned last. */
const lastOf = (pool: Prefix): Prefix[] =>
  isSingle(pool) ? [pool] : [2n, 3n, 4n, 5n].filter(n => n < size(pool)).map(n => nth(pool, size(pool) - n));

/** The kernel answers neighbour solicitations for single addresses only; whole prefixes need ndppd. */
function checkResponder({ ipv6 }: Config, { domains, file }: Facts): Diagnosis[] {
  if (ipv6 === 'routed') return [];
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
