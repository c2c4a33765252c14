/** Reads how the host's uplink runs, both families, into facts. */
import { format, parseAddress, readSubnet } from '../../model/address.ts';
import { USUAL_MTU } from '../../model/mtu.ts';
import { bits, contains, equal, FAMILIES, type Family, isOfTwo, type Prefix } from '../../model/prefix.ts';
import type { UplinkFacts } from '../../model/uplink.ts';
import { sysctlPath } from '../../resources/action.ts';
import { FORWARDING } from '../../resources/forwarding.ts';
import type { Host } from '../host.ts';
import { about } from '../query.ts';
import { type AddressAnswer, firstRoute, linkSchema, parse, type RouteAnswer } from './ip.ts';
import { interfaceMtu } from './mtu.ts';
import { sysctl } from './parts.ts';
import { defaultRoute, FAR_AWAY, observeUplinks, readPrefix, type UplinkConfig } from './uplink.ts';

/**
 * The main uplink in each family that has a default route.
 * @throws Refusal if there is no IPv4 default route and hnet.toml doesn't stand in for it
 */
export function observeUplinkFacts(host: Host, given: UplinkConfig): UplinkFacts[] {
  const [uplink] = observeUplinks(host, given);
  return FAMILIES.flatMap(family => {
    // `get` says which address of ours serves, `fibmatch` how the route stands in the table.
    const answers = host.query({
      used: about(FAR_AWAY[family], address => `route get ${address} oif ${uplink.device}`),
      entry: about(FAR_AWAY[family], address => `route get fibmatch ${address} oif ${uplink.device}`),
    });
    const [used, entry] = [defaultRoute(answers.used), defaultRoute(answers.entry)];
    const [address, gateway] =
      family === 4 ? [uplink.host, uplink.gateway] : [readPrefix(used?.prefsrc), readPrefix(used?.gateway)];
    if (address === undefined || (family === 6 && used?.dev === undefined)) return [];
    const delivery = uplink.delivery[family];
    return [factsOf(family, host, { device: used?.dev ?? uplink.device, address, gateway, delivery }, entry)];
  });
}

function factsOf(
  family: Family,
  host: Host,
  { device, address, gateway, delivery }: Pick<UplinkFacts, 'device' | 'address' | 'gateway' | 'delivery'>,
  entry: RouteAnswer | undefined,
): UplinkFacts {
  const lookup = (hop: Prefix) => `route get fibmatch ${format(hop)} oif ${device}`;
  const { links, direct } = host.query({
    links: `address show dev ${device}`,
    direct: about(gateway === undefined ? [] : [gateway], lookup),
  });
  const configured = parse(linkSchema, links.found, 'ip address')
    .flatMap(({ addr_info }) => addr_info)
    .find(({ local }) => local === format(address));
  // Where no subnet leads to it, it is the default route that answers: "default" is no subnet.
  const [beside] = readSubnet(firstRoute(direct, 'the route to the gateway')?.dst ?? '');
  const isDirect = (hop: Prefix): boolean =>
    isPeer(configured, hop) || (beside !== undefined && isOfTwo(beside) && contains(beside, hop));
  return {
    family,
    device,
    mtu: interfaceMtu(device) ?? USUAL_MTU,
    address,
    length: configured?.prefixlen ?? bits(family),
    gateway,
    delivery,
    protocol: entry?.protocol ?? '',
    onlink: gateway !== undefined && (entry?.flags.includes('onlink') === true || isDirect(gateway)),
    forwarding: sysctl(FORWARDING[family]) === '1',
    acceptRa: family === 6 ? sysctl(sysctlPath('ipv6', device, 'accept_ra')) : undefined,
  };
}

const isPeer = (configured: AddressAnswer | undefined, gateway: Prefix): boolean =>
  configured?.address !== undefined && equal(parseAddress(configured.address), gateway);
