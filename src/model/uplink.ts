import * as v from 'valibot';
import { format, parseAddress } from './address.ts';
import {
  BACKENDS,
  type Backend,
  type Config,
  type Delivery,
  type InForce,
  type UplinkInForce,
} from './config.ts';
import { bounded, USUAL_MTU } from './mtu.ts';
import { contains, type Family, type Prefix } from './prefix.ts';
import { ifPossible } from './refusal.ts';
import type { Link } from './view.ts';

/** An interface by which packets come from the Internet and go there. */
export interface Uplink extends UplinkInForce {
  /** The host's IPv6 addresses there. */
  readonly host6: readonly Prefix[];
  /** What comes by it. Uplinks that share one way have the same pools. */
  readonly pools: readonly Prefix[];
  readonly delivery: Readonly<Record<Family, Delivery>>;
  /** Which way of the configuration it belongs to, from 0, the main one. */
  readonly way: number;
  /**
   * Families in which something leads packets elsewhere: a VPN's rule, or a better default route. Undefined where that
   * wasn't looked for.
   */
  readonly bypassed: readonly Family[] | undefined;
}

/** All of a host's uplinks, the main one first. */
type AtLeastOne<T> = readonly [T, ...T[]];
export type Uplinks = AtLeastOne<Uplink>;

const optionalAddress = v.optional(v.pipe(v.string(), v.transform(parseAddress)));
const inForceSchema = v.object({
  device: v.string(),
  host: optionalAddress,
  gateway: optionalAddress,
  gateway6: optionalAddress,
  mtu: v.optional(v.number(), USUAL_MTU),
  backend: v.optional(v.picklist(BACKENDS)),
  awaited: v.optional(v.literal(true)),
});
/** Earlier versions knew one uplink, and wrote it alone. */
const fileSchema = v.pipe(
  v.union([v.array(inForceSchema), inForceSchema]),
  v.transform(one => [one].flat()),
);

/** As they stand in their file, each with the backend of the filter. */
export const uplinkText = (uplinks: readonly UplinkInForce[], backend: Backend): string =>
  JSON.stringify(
    uplinks.map(({ device, host, gateway, gateway6, mtu, awaited }) => ({
      device,
      ...(host && { host: format(host) }),
      ...(gateway && { gateway: format(gateway) }),
      ...(gateway6 && { gateway6: format(gateway6) }),
      mtu,
      backend,
      ...(awaited && { awaited }),
    })),
  );

/** Reads them back; none where the text is none of ours. */
export const readUplinkText = (text: string): readonly InForce[] =>
  ifPossible(() =>
    v
      .parse(fileSchema, JSON.parse(text))
      .map(({ device, host, gateway, gateway6, mtu, backend, awaited }) => ({
        ...{ device, host, gateway, gateway6, mtu, backend },
        ...(awaited && { awaited }),
      })),
  ) ?? [];

/** The gateway of a family. */
export const gatewayIn = (family: Family, { gateway, gateway6 }: Uplink): Prefix | undefined =>
  family === 4 ? gateway : gateway6;

/**
 * Whether nobody on the wire of a further uplink is known to take packets for the Internet. A tunnel needs nobody: it leads to
 * one place. Where the main uplink has no gateway, its default route says so.
 */
export const lacksGateway = (family: Family, uplink: Uplink, link: Pick<Link, 'arp'> | undefined): boolean =>
  uplink.way > 0 && link?.arp !== false && gatewayIn(family, uplink) === undefined;

/** What is known of an uplink without a look at the host. */
export type Way = Pick<Uplink, 'device' | 'pools' | 'delivery' | 'way'>;

/** The uplinks by which an address comes and goes: those of its pool, or else of the main way. */
export function uplinksOf<T extends Pick<Way, 'pools' | 'way'>>(
  prefix: Prefix,
  uplinks: AtLeastOne<T>,
): AtLeastOne<T> {
  const [first, ...others] = uplinks.filter(({ pools }) => pools.some(pool => contains(pool, prefix)));
  if (first !== undefined) return [first, ...others];
  const [main, ...rest] = uplinks;
  return [main, ...rest.filter(({ way }) => way === main.way)];
}

/** The host's IPv4 address that static guests have as their gateway: the main uplink's, if it has one. */
export const hostIn = (uplinks: Uplinks): Prefix | undefined =>
  uplinks.find(({ host }) => host !== undefined)?.host;

/**
 * What domains' plans take from the uplinks: their gateway, and the MTU of a bridge with some addresses. That is what the
 * configuration says, or what goes out by each uplink of theirs; the main one carries what bootstrap leases send.
 */
export const surroundings = ({ mtu }: Pick<Config, 'mtu'>, uplinks: Uplinks) => ({
  gateway: hostIn(uplinks),
  mtuFor: (prefixes: readonly Prefix[]): number => {
    const carriers = [uplinks[0], ...prefixes.flatMap(prefix => uplinksOf(prefix, uplinks))];
    return mtu ?? bounded(Math.min(...carriers.map(one => one.mtu)));
  },
});

/** What is the host's own or its gateways', and never a domain's. */
export const ownAddresses = (uplinks: readonly Uplink[]): Prefix[] =>
  uplinks
    .flatMap(({ host, gateway, host6, gateway6 }) => [host, gateway, ...host6, gateway6])
    .filter(address => address !== undefined);

/** The host's own addresses on an uplink, IPv4 first. */
export const hostOn = ({ host, host6 }: Pick<Uplink, 'host' | 'host6'>): Prefix[] =>
  host === undefined ? [...host6] : [host, ...host6];

/** A gateway in a pool that lies on the uplink's wire, and its interface. */
export interface NearGateway {
  readonly gateway: Prefix;
  readonly device: string;
}

/** The gateways whose addresses lie in a pool, as that of the provider's subnet may. */
export const gatewaysWithin = (pools: readonly Prefix[], uplinks: Uplinks): NearGateway[] =>
  uplinks.flatMap(({ device, gateway, gateway6 }) =>
    [gateway, gateway6].flatMap(one =>
      one !== undefined && pools.some(pool => contains(pool, one)) ? [{ gateway: one, device }] : [],
    ),
  );

/** The uplink in one family, as it runs. */
export interface UplinkFacts {
  readonly family: Family;
  readonly device: string;
  /** Of the interface, in bytes. */
  readonly mtu: number;
  readonly address: Prefix;
  /** Length of the subnet that it was configured with. */
  readonly length: number;
  readonly gateway: Prefix | undefined;
  /** How the provider hands over the pools of this family that come by it. */
  readonly delivery: Delivery;
  /** Who put the default route there: `ra` is a router's advertisement. */
  readonly protocol: string;
  /**
   * The gateway is reached on the uplink's wire although it is on no subnet: a peer, `onlink`, or a route of its own; or its
   * subnet has room for the two ends alone.
   */
  readonly onlink: boolean;
  readonly forwarding: boolean;
  /** Whether router advertisements are taken: 0 no, 1 unless forwarding, 2 always; undefined for IPv4. */
  readonly acceptRa: string | undefined;
}

/** The interface on whose wire an address is answered for; undefined where the provider routes it here. */
export function wireFor(prefix: Prefix, uplinks: AtLeastOne<Way>): string | undefined {
  const { delivery, device } = uplinksOf(prefix, uplinks)[0];
  return delivery[prefix.family] === 'on-link' ? device : undefined;
}
