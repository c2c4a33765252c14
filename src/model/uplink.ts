import { contains, type Prefix } from './address.ts';

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
