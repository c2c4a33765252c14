/** Reads how the host's uplink runs, both families, into facts. */
import * as v from 'valibot';
import { format, parseAddress } from '../../model/address.ts';
import { bits, equal, FAMILIES, type Family, type Prefix } from '../../model/prefix.ts';
import { Refusal } from '../../model/refusal.ts';
import type { UplinkFacts } from '../../model/uplink.ts';
import { readIfThere } from '../files.ts';
import type { Host } from '../host.ts';
import type { UplinkConfig } from './uplink.ts';

/** Addresses that are nobody's, so that they follow the default route: RFC 5737, and outside of what is given out yet. */
const NOBODY: Readonly<Record<Family, string>> = { 4: '192.0.2.1', 6: '2000::1' };

const routeSchema = v.object({
  dev: v.optional(v.string()),
  gateway: v.optional(v.string()),
  prefsrc: v.optional(v.string()),
  protocol: v.optional(v.string(), ''),
  flags: v.optional(v.array(v.string()), []),
});
const addressSchema = v.object({
  local: v.optional(v.string()),
  /** The other end, where one was named. */
  address: v.optional(v.string()),
  prefixlen: v.optional(v.number(), 0),
});
const linkSchema = v.object({ addr_info: v.array(addressSchema) });

type RouteAnswer = v.InferOutput<typeof routeSchema>;
type AddressAnswer = v.InferOutput<typeof addressSchema>;

/**
 * The uplink in each family that has a default route.
 * @throws Refusal if there is no IPv4 default route and hnet.toml doesn't stand in for it
 */
export function observeUplinkFacts(host: Host, given: UplinkConfig): UplinkFacts[] {
  return FAMILIES.flatMap(family => {
    // `get` says which address of ours serves, `fibmatch` how the route stands in the table.
    const [used, entry] = host
      .query([`route get ${NOBODY[family]}`, `route get fibmatch ${NOBODY[family]}`])
      .map(answer => read(routeSchema, answer, 'the default route')[0]);
    if (family === 4) return [factsOf(family, host, needIpv4(given, used), entry)];
    return used?.dev === undefined || used.prefsrc === undefined ? [] : [factsOf(family, host, used, entry)];
  });
}

/** What the configuration says goes before what runs. */
function needIpv4(given: UplinkConfig, used: RouteAnswer | undefined): RouteAnswer {
  const dev = given.uplink ?? used?.dev;
  const prefsrc = given.host === undefined ? used?.prefsrc : format(given.host);
  const gateway = given.gateway === undefined ? used?.gateway : format(given.gateway);
  if (dev === undefined || prefsrc === undefined)
    throw new Refusal(
      'Cannot find the uplink: there is no default route; set uplink, host and gateway in hnet.toml',
    );
  return { protocol: '', flags: [], ...used, dev, prefsrc, ...(gateway === undefined ? {} : { gateway }) };
}

function factsOf(
  family: Family,
  host: Host,
  { dev = '', prefsrc = '', gateway }: RouteAnswer,
  entry: RouteAnswer | undefined,
): UplinkFacts {
  const [links, direct] = host.query([
    `address show dev ${dev}`,
    ...(gateway === undefined ? [] : [`route get fibmatch ${gateway} oif ${dev}`]),
  ]);
  const configured = read(linkSchema, links, 'ip address')
    .flatMap(({ addr_info }) => addr_info)
    .find(({ local }) => local === prefsrc);
  const hop = gateway === undefined ? undefined : parseAddress(gateway);
  const [beside] = read(v.object({ dst: v.string() }), direct, 'the route to the gateway');
  return {
    family,
    device: dev,
    address: parseAddress(prefsrc),
    length: configured?.prefixlen ?? bits(family),
    gateway: hop,
    protocol: entry?.protocol ?? '',
    onlink:
      hop !== undefined &&
      (entry?.flags.includes('onlink') === true || isPeer(configured, hop) || beside?.dst === format(hop)),
    forwarding: sysctl(family === 4 ? 'ipv4/ip_forward' : 'ipv6/conf/all/forwarding') === '1',
    acceptRa: family === 6 ? sysctl(`ipv6/conf/${dev}/accept_ra`) : undefined,
  };
}

function isPeer(configured: AddressAnswer | undefined, hop: Prefix): boolean {
  return configured?.address !== undefined && equal(parseAddress(configured.address), hop);
}

const sysctl = (path: string): string | undefined => readIfThere(`/proc/sys/net/${path}`)?.trim();

function read<T>(schema: v.GenericSchema<unknown, T>, output: unknown, what: string): T[] {
  const result = v.safeParse(v.array(schema), output ?? []);
  if (result.success) return result.output;
  throw new Refusal(`Cannot read ${what}: ${result.issues[0].message}`);
}
