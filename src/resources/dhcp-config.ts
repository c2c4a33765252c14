/** The text of a DHCP server's configuration (dnsmasq(8)), for each mode. Pure. */

import { format, formatAddress } from '../model/address.ts';
import type { BridgeSpec } from '../model/bridge.ts';
import type { DhcpConfig } from '../model/config.ts';
import type { DhcpMode } from '../model/dhcp-mode.ts';
import { gatewayOf, leaseFile, privateSubnet } from '../model/names.ts';
import { isAdvertised, isSingle, last, nth, type Prefix } from '../model/prefix.ts';

/** What the server of one bridge hands out. */
export interface DhcpService {
  readonly mode: DhcpMode;
  /** The domain's name, made safe. */
  readonly hostname: string;
  /** The public IPv4 addresses on the bridge, as single ones. */
  readonly addresses: readonly Prefix[];
  /** The public IPv6 prefixes on it. They are handed out in every mode but `off`: there is nothing private beside them. */
  readonly prefixes6: readonly Prefix[];
  /** The domain's interfaces on the bridge. */
  readonly macs: readonly string[];
}

/**
 * The configuration of one server; undefined for none. port=0: it serves no DNS. no-ping: probing an address
 * before offering it delays the first lease by three seconds, and nobody else is on this wire. authoritative: a
 * client that renews a lease of the other mode is refused, and asks anew, instead of keeping it to its end. pid-file
 * without a path: whoever starts it notes its pid. Option 12 is the hostname, which dnsmasq takes by its number only.
 */
export function configuration(spec: BridgeSpec, service: DhcpService, dhcp: DhcpConfig): string | undefined {
  if (service.mode === 'off') return undefined;
  const { name } = spec;
  const servers = dhcp.dns.filter(one => one.family === 4).map(format);
  const isPublic = leasesPublic(service);
  return [
    '# written by hnet',
    'port=0',
    `interface=${name}`,
    'except-interface=lo',
    'bind-interfaces',
    'no-hosts',
    'no-resolv',
    'no-ping',
    'dhcp-authoritative',
    'pid-file',
    `dhcp-leasefile=${leaseFile(name)}`,
    ...(isPublic ? publicRanges(spec, service, dhcp) : [bootstrapRange(spec, dhcp)]),
    ...hosts(service, isPublic),
    `dhcp-option=option:router,${format(gatewayOf(spec.scope))}`,
    ...(servers.length > 0 ? [`dhcp-option=option:dns-server,${servers.join(',')}`] : []),
    `dhcp-option=12,${service.hostname}`,
    `domain=${dhcp.domain}`,
    ...(service.prefixes6.length > 0 ? ipv6(spec, service, dhcp) : []),
    '',
  ].join('\n');
}

const leasesPublic = ({ mode, addresses }: DhcpService): boolean => mode === 'public' && addresses.length > 0;

/**
 * Which lines of the lease file stand in the way: leases of public addresses by another MAC than the one that is to have
 * them now, such as a former interface's. dnsmasq gives such an address to nobody until the lease has expired.
 * @returns a regular expression; undefined where none can
 */
export function staleLeases(service: DhcpService): string | undefined {
  if (!leasesPublic(service) || service.macs.length === 0) return undefined;
  const each = inPlaces(service.addresses, service).map(
    (one, place) => `(?!${service.macs[place]})\\S+ ${format(one).replaceAll('.', '\\.')}`,
  );
  return `^\\d+ (${each.join('|')}) `;
}

/** .10 to .200 in the article's /24; in a smaller scope everything between the gateway and the broadcast address. */
function bootstrapRange({ scope }: BridgeSpec, { lease }: DhcpConfig): string {
  const [first, final] =
    scope.length <= 24
      ? [nth(scope, 10n), nth(scope, 200n)]
      : [nth(scope, 2n), nth(scope, last(scope) - scope.first - 1n)];
  const mask = formatAddress(4, ((1n << BigInt(scope.length)) - 1n) << BigInt(32 - scope.length));
  return `dhcp-range=${format(first)},${format(final)},${mask},${lease}`;
}

/**
 * Each interface gets the address in its place of the order, as a /32. The bridge carries only its scope, so that
 * the addresses must be declared to share its wire. Option 121 (RFC 3442) names the on-link route first, for the
 * default route leads over it; clients that know it ignore option 3, and those that don't take option 3. Where the
 * interfaces aren't known, whoever asks first gets the first address: nobody else is on this wire.
 */
function publicRanges({ name, scope }: BridgeSpec, service: DhcpService, { lease }: DhcpConfig): string[] {
  const gateway = format(gatewayOf(scope));
  const served = inPlaces(service.addresses, service).map(format);
  const mode = (address: string): string => (service.macs.length === 0 ? address : 'static');
  return [
    ...served.flatMap(address => [
      `shared-network=${name},${address}`,
      `dhcp-range=${address},${mode(address)},255.255.255.255,${lease}`,
    ]),
    `dhcp-option=option:classless-static-route,${gateway}/32,0.0.0.0,0.0.0.0/0,${gateway}`,
  ];
}

/** As many as there are interfaces to take them. */
const inPlaces = <T>(addresses: readonly T[], { macs }: DhcpService): T[] =>
  addresses.slice(0, Math.max(1, macs.length));

/** Which interface gets which addresses: known by its MAC in both families, for a DUID is its system's to choose. */
function hosts(service: DhcpService, isPublic: boolean): string[] {
  const single = leased6(service);
  return service.macs.flatMap((mac, place) => {
    const [ipv4, ipv6] = [isPublic ? service.addresses[place] : undefined, single[place]];
    const words = [
      ...(ipv4 === undefined ? [] : [format(ipv4)]),
      ...(ipv6 === undefined ? [] : [`[${format(ipv6)}]`, ...(place === 0 ? [service.hostname] : [])]),
    ];
    return words.length === 0 ? [] : [`dhcp-host=${[mac, ...words].join(',')}`];
  });
}

/** What DHCPv6 leases: single addresses, and of a prefix that can't be advertised the first that no router has. */
const leased6 = ({ prefixes6 }: DhcpService): Prefix[] =>
  prefixes6.filter(one => !isAdvertised(one)).map(one => nth(one, isSingle(one) ? 0n : 1n));

/** RFC 4861, 6.2.1: the longest interval between advertisements, and how long one is believed, in seconds. */
const INTERVAL = 600;
const LIFETIME = 1800;

/**
 * How long DHCPv6 leases an address, in seconds, whatever the configuration says: dnsmasq keeps it for the DUID that has
 * it, and the system that an installer leaves behind has another one on the same MAC. So that one waits no longer than
 * the shortest lease that dnsmasq gives.
 */
const LEASE6 = 120;

/**
 * Router advertisements, always from the bridge's link-local address, with the name servers (RFC 8106). A whole /64 is
 * for autoconfiguration, and DHCPv6 answers further questions (flag O); other addresses are leased (flag M). As with
 * public IPv4 the bridge carries none of their subnets, and they must be declared to share its wire with one it carries.
 */
function ipv6(
  { name, scope }: BridgeSpec,
  service: DhcpService,
  { dns, domain, lease }: DhcpConfig,
): string[] {
  const servers = dns.filter(one => one.family === 6).map(one => `[${format(one)}]`);
  const leased = inPlaces(leased6(service), service);
  const subnets = new Set(leased.map(one => formatAddress(6, (one.first >> 64n) << 64n)));
  const open = service.macs.length === 0 ? leased.slice(0, 1).map(format) : [];
  return [
    'enable-ra',
    'quiet-ra',
    `ra-param=${name},${Math.min(INTERVAL, Math.floor(lease / 3))},${LIFETIME}`,
    ...service.prefixes6
      .filter(isAdvertised)
      .map(({ first }) => `dhcp-range=${formatAddress(6, first)},ra-stateless,64,${lease}`),
    ...(leased.length > 0
      ? [`dhcp-range=${formatAddress(6, privateSubnet(scope).first)},static,64,${LEASE6}`]
      : []),
    ...[...subnets].flatMap(subnet => [
      `shared-network=${name},${subnet}`,
      ...(open.length > 0 ? [] : [`dhcp-range=${subnet},static,64,${LEASE6}`]),
    ]),
    ...open.map(address => `dhcp-range=${address},${address},64,${LEASE6}`),
    ...(servers.length > 0 ? [`dhcp-option=option6:dns-server,${servers.join(',')}`] : []),
    `dhcp-option=option6:domain-search,${domain}`,
  ];
}
