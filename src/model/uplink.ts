import type { Config } from './config.ts';
import { contains, type Family, type Prefix } from './prefix.ts';

/** Where the Internet is, and which address of the host stands for the bootstrap leases. */
export interface Uplink {
  readonly device: string;
  readonly host: Prefix;
  readonly gateway: Prefix | undefined;
  /** The host's IPv6 addresses there. */
  readonly host6: readonly Prefix[];
  readonly gateway6: Prefix | undefined;
}

/** What is the host's own or its gateway's, and never a domain's. */
export const ownAddresses = ({ host, gateway, host6, gateway6 }: Uplink): Prefix[] =>
  [host, gateway, ...host6, gateway6].filter(address => address !== undefined);

/** The IPv6 gateway, where its address lies in a pool, as that of the provider's subnet may. */
export const gatewayWithin = (pools: readonly Prefix[], { gateway6 }: Uplink): Prefix | undefined =>
  gateway6 !== undefined && pools.some(pool => contains(pool, gateway6)) ? gateway6 : undefined;

/** The uplink in one family, as it runs. */
export interface UplinkFacts {
  readonly family: Family;
  readonly device: string;
  readonly address: Prefix;
  /** Length of the subnet that it was configured with. */
  readonly length: number;
  readonly gateway: Prefix | undefined;
  /** Who put the default route there: `ra` is a router's advertisement. */
  readonly protocol: string;
  /** The gateway is reached on the uplink's wire although it is on no subnet: a peer, `onlink`, or a route of its own. */
  readonly onlink: boolean;
  readonly forwarding: boolean;
  /** Whether router advertisements are taken: 0 no, 1 unless forwarding, 2 always; undefined for IPv4. */
  readonly acceptRa: string | undefined;
}

/** The interface on whose wire the provider looks for IPv6 addresses; undefined where it routes them. */
export const wireFor = ({ ipv6 }: Pick<Config, 'ipv6'>, { device }: Uplink): string | undefined =>
  ipv6 === 'on-link' ? device : undefined;
