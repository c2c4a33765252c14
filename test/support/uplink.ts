import { parseAddress } from '../../src/model/address.ts';
import type { Config } from '../../src/model/config.ts';
import type { Uplink, UplinkFacts, Uplinks } from '../../src/model/uplink.ts';

/** The uplink of the lab's first host. */
export const UPLINK: Uplink = {
  device: 'eth0',
  host: parseAddress('123.45.12.48'),
  gateway: parseAddress('123.45.12.1'),
  host6: [parseAddress('2001:db8:12:48::2')],
  gateway6: parseAddress('fe80::1'),
  mtu: 1500,
  pools: [],
  delivery: { 4: 'routed', 6: 'routed' },
  way: 0,
  bypassed: [],
};

/** The same, with a configuration's pools. */
export const uplinksFor = (
  { pools, uplinks: [{ delivery }] }: Config,
  more: Partial<Uplink> = {},
): Uplinks => [{ ...UPLINK, pools, delivery, ...more }];

/** What is seen of it, in IPv4. */
export const FACTS: UplinkFacts = {
  family: 4,
  device: 'eth0',
  mtu: 1500,
  address: parseAddress('123.45.12.48'),
  length: 32,
  gateway: parseAddress('123.45.12.1'),
  delivery: 'routed',
  protocol: 'boot',
  onlink: true,
  forwarding: true,
  acceptRa: undefined,
};
