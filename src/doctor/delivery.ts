/** Whether the provider hands addresses over in the way that the configuration says. */
import { vacancy } from '../assign/allocate.ts';
import { holdingsOf } from '../assign/inventory.ts';
import { peerAddresses } from '../cluster/around.ts';
import { format } from '../model/address.ts';
import { hostAddresses } from '../model/host-address.ts';
import { CONFIG_FILE } from '../model/names.ts';
import { FAMILIES, type Prefix } from '../model/prefix.ts';
import { gatewayIn, ownAddresses, type Uplink } from '../model/uplink.ts';
import { candidatesIn, devicesBeside, subnetAround } from './ask-delivery.ts';
import type { Devices } from './delivered.ts';
import { type Diagnosis, diagnosis } from './diagnosis.ts';
import { type Facts, knownValue } from './facts.ts';

/** An address that is answered for, and routed nevertheless, is no trouble. */
export function checkDelivery(facts: Facts): Diagnosis[] {
  const uplinks = knownValue(facts.uplinks);
  if (uplinks === undefined) return [];
  const isFree = vacancy({
    holdings: (knownValue(facts.domains) ?? []).flatMap(holdingsOf),
    own: ownAddresses(uplinks),
    host: hostAddresses(facts.network),
    peers: peerAddresses(knownValue(facts.config) ?? { cluster: undefined }),
  });
  return uplinks.flatMap(uplink =>
    FAMILIES.filter(family => uplink.delivery[family] === 'routed').flatMap(family =>
      uplink.pools
        .filter(pool => pool.family === family)
        .flatMap(pool =>
          checkPool(pool, candidatesIn(pool).find(isFree), uplink, devicesBeside(uplink, uplinks), facts),
        ),
    ),
  );
}

function checkPool(
  pool: Prefix,
  address: Prefix | undefined,
  uplink: Uplink,
  devices: Devices,
  { delivered, network, config }: Facts,
): Diagnosis[] {
  const { device } = uplink;
  const gateway = gatewayIn(pool.family, uplink);
  if (gateway === undefined || address === undefined) return [];
  const subnet = subnetAround(pool, network.addresses.get(device) ?? []);
  const seen = delivered(address, gateway, devices);
  if (seen === 'sought') return sought(address, pool, device);
  if (subnet !== undefined) return besideHost(pool, subnet, device, seen === 'arrives');
  if (seen === 'arrives') return [];
  if (seen === undefined) return pool.family === 4 ? [] : untold(pool, device);
  // The hosts of a cluster announce what runs on them: a free address comes to none, or to the one that last had its pool.
  const announce = knownValue(config)?.cluster?.announce;
  return announce === 'bgp' || announce === 'command' ? [] : undelivered(address, pool);
}

const onLink = ({ family }: Prefix): string =>
  `set ipv${family} = "on-link" beside the pool in ${CONFIG_FILE}, then: hnet sync`;

const which = (address: Prefix, pool: Prefix): string =>
  `${format(address)}, an address of the pool ${format(pool)}`;

const sought = (address: Prefix, pool: Prefix, device: string): Diagnosis[] =>
  diagnosis(
    `the gateway looks for ${which(address, pool)}, on the wire of ${device}`,
    "nobody answers: the provider doesn't route the pool to this host",
    onLink(pool),
  );

const besideHost = (pool: Prefix, subnet: Prefix, device: string, arrives: boolean): Diagnosis[] =>
  diagnosis(
    `the pool ${format(pool)} lies on the uplink's own subnet ${format(subnet)}`,
    'the provider looks for its addresses by ARP, which a routed address does not answer',
    arrives
      ? `hnet host --format ifupdown  # or netplan: it is routed to this host, so configure ${device} so`
      : onLink(pool),
  );

const undelivered = (address: Prefix, pool: Prefix): Diagnosis[] =>
  diagnosis(
    `the gateway's answer to ${which(address, pool)}, did not come here`,
    "the provider doesn't route the pool to this host, or looks for its addresses on the wire",
    `${onLink(pool)}  # skip this if the provider hasn't set up the routing yet`,
  );

const untold = (pool: Prefix, device: string): Diagnosis[] =>
  diagnosis(
    `whether the provider routes the pool ${format(pool)} here can't be found out`,
    'the IPv6 gateway does not answer, or no raw socket can be had',
    `tcpdump -ni ${device} icmp6  # and ping an address of the pool from outside: does the gateway solicit it?`,
  );
