import * as v from 'valibot';
import { format, parseAddress } from './address.ts';
import type { UplinkInForce } from './config.ts';
import { contains, type Family, type Prefix } from './prefix.ts';
import { ifPossible } from './refusal.ts';

/** Where the Internet is, and which address of the host stands for the bootstrap leases. */
export interface Uplink extends UplinkInForce {
  /** The host's IPv6 addresses there. */
  readonly host6: readonly Prefix[];
  /**
   * Families in which something leads the host's own packets elsewhere: a VPN's rule, or a better default route. Undefined
   * where that wasn't looked for.
   */
  readonly bypassed: readonly Family[] | undefined;
}

const optionalAddress = v.optional(v.pipe(v.string(), v.transform(parseAddress)));
const inForceSchema = v.object({
  device: v.string(),
  host: v.pipe(v.string(), v.transform(parseAddress)),
  gateway: optionalAddress,
  gateway6: optionalAddress,
});

/** As it stands in its file. */
export const uplinkText = ({ device, host, gateway, gateway6 }: UplinkInForce): string =>
  JSON.stringify({
    device,
    host: format(host),
    ...(gateway && { gateway: format(gateway) }),
    ...(gateway6 && { gateway6: format(gateway6) }),
  });

/** Reads it back; undefined where the text is none of ours. */
export const readUplinkText = (text: string): UplinkInForce | undefined =>
  ifPossible(() => {
    const { device, host, gateway, gateway6 } = v.parse(inForceSchema, JSON.parse(text));
    return { device, host, gateway, gateway6 };
  });

/** The gateway of a family. */
export const gatewayIn = (family: Family, { gateway, gateway6 }: Uplink): Prefix | undefined =>
  family === 4 ? gateway : gateway6;

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
export const wireFor = (
  { ipv6 }: { readonly ipv6: 'routed' | 'on-link' },
  { device }: Uplink,
): string | undefined => (ipv6 === 'on-link' ? device : undefined);
