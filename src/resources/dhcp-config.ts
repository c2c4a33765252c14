/** The text of a DHCP server's configuration (dnsmasq(8)), for each mode. */

import { format, formatAddress } from '../model/address.ts';
import type { BridgeSpec } from '../model/bridge.ts';
import type { DhcpConfig } from '../model/config.ts';
import type { DhcpMode } from '../model/dhcp-mode.ts';
import { gatewayOf, leaseFile, privateSubnet } from '../model/names.ts';
import { isAdvertised, isSingle, nth, type Prefix } from '../model/prefix.ts';
import { bootRoms, bootstrapRange, romRange } from './dhcp-boot.ts';

/** What the server of one bridge hands out. */
export interface DhcpService {
  readonly mode: DhcpMode;
  /** Whether the host has IPv4 towards the Internet: a lease would lead nowhere otherwise. */
  readonly hasIpv4: boolean;
  /** The domain's name, made safe. */
  readonly hostname: string;
  /** The public IPv4 addresses on the bridge, as single ones. */
  readonly addresses: readonly Prefix[];
  /** The private ones, which are of its scope: where nothing public is leased, the interfaces always get these. */
  readonly privates: readonly Prefix[];
  /** The public IPv6 prefixes on it, handed out in every mode but `off`: nothing private is beside them. */
  readonly prefixes6: readonly Prefix[];
  /** The domain's interfaces on the bridge. */
  readonly macs: readonly string[];
  /** What the domain's boot ROMs load, iPXE too; undefined: what the configuration says. */
  readonly boot: string | undefined;
  /** Of the bridge, in bytes: what its guests are told. */
  readonly mtu: number;
}

/** The configuration of one server; undefined for none. Option 12: the hostname, which has no name in dnsmasq. */
export function configuration(spec: BridgeSpec, service: DhcpService, dhcp: DhcpConfig): string | undefined {
  if (service.mode === 'off') return undefined;
  const isPublic = leasesPublic(service);
  return [
    ...serverOf(spec.name),
    ...bootRoms(spec, { ...dhcp.boot, own: service.boot }, isPublic),
    ...(isPublic
      ? publicRanges(spec, service, dhcp)
      : [bootstrapRange(spec, service.hasIpv4 ? dhcp.lease : undefined)]),
    ...hosts(service, isPublic),
    `dhcp-option=option:router,${format(gatewayOf(spec.scope))}`,
    ...optionOf('dns-server', dhcp.dns),
    ...optionOf('ntp-server', dhcp.ntp),
    `dhcp-option=12,${service.hostname}`,
    `dhcp-option=option:mtu,${service.mtu}`,
    `domain=${dhcp.domain}`,
    ...(service.prefixes6.length > 0 ? ipv6(spec, service, dhcp) : []),
    '',
  ].join('\n');
}

/**
 * The server itself. port=0: no DNS. no-ping: probing an address before offering it delays the first lease by three
 * seconds. authoritative: a client that renews a lease of the other mode is refused, and asks anew. quiet-dhcp: a guest that
 * asks again and again fills no log. pid-file without a path: the runner notes its pid.
 */
const serverOf = (name: string): string[] => [
  '# written by hnet',
  'port=0',
  `interface=${name}`,
  'except-interface=lo',
  'bind-interfaces',
  'no-hosts',
  'no-resolv',
  'no-ping',
  'dhcp-authoritative',
  'quiet-dhcp',
  'pid-file',
  `dhcp-leasefile=${leaseFile(name)}`,
];

/** A list of servers, of those that are of IPv4. */
const optionOf = (name: string, servers: readonly Prefix[]): string[] => {
  const own = servers.filter(({ family }) => family === 4).map(format);
  return own.length === 0 ? [] : [`dhcp-option=option:${name},${own.join(',')}`];
};

const leasesPublic = ({ mode, hasIpv4, addresses }: DhcpService): boolean =>
  hasIpv4 && mode === 'public' && addresses.length > 0;

/**
 * A regular expression for lines of the lease file that are in the way: addresses leased to another MAC than the one
 * that is to have them now. dnsmasq gives such an address to nobody until the lease expires. Undefined if none can be.
 */
export function staleLeases(service: DhcpService): string | undefined {
  const bound = service.macs.length === 0 ? [] : inPlaces(boundTo(service), service);
  if (bound.length === 0) return undefined;
  const each = bound.map(
    (one, place) => `(?!${service.macs[place]})\\S+ ${format(one).replaceAll('.', '\\.')}`,
  );
  return `^\\d+ (${each.join('|')}) `;
}

/** The addresses that interfaces get by their place. */
const boundTo = (service: DhcpService): readonly Prefix[] =>
  leasesPublic(service) ? service.addresses : service.privates;

/**
 * The first interface gets the first address, as a /32, and so on. The bridge carries only its scope, so the addresses must
 * be declared to share its wire. Option 121 (RFC 3442) names the on-link route first, because the default route leads over
 * it; clients that know it ignore option 3. If the interfaces aren't known, the first client gets the first address.
 */
function publicRanges(spec: BridgeSpec, service: DhcpService, { lease }: DhcpConfig): string[] {
  const { name, scope } = spec;
  const gateway = format(gatewayOf(scope));
  const served = inPlaces(service.addresses, service).map(format);
  const mode = (address: string): string => (service.macs.length === 0 ? address : 'static');
  return [
    romRange(spec),
    ...served.flatMap(address => [
      `shared-network=${name},${address}`,
      `dhcp-range=tag:!rom,${address},${mode(address)},255.255.255.255,${lease}`,
    ]),
    `dhcp-option=tag:!rom,option:classless-static-route,${gateway}/32,0.0.0.0,0.0.0.0/0,${gateway}`,
  ];
}

/** As many as there are interfaces. */
const inPlaces = <T>(addresses: readonly T[], { macs }: DhcpService): T[] =>
  addresses.slice(0, Math.max(1, macs.length));

/** Which interface gets which addresses. It is known by its MAC even in IPv6, because a system may choose its DUID. */
function hosts(service: DhcpService, isPublic: boolean): string[] {
  const single = leased6(service);
  return service.macs.flatMap((mac, place) => {
    const [ipv4, ipv6] = [boundTo(service)[place], single[place]];
    const words = [
      ...(ipv4 === undefined ? [] : [...(isPublic ? ['tag:!rom'] : []), format(ipv4)]),
      ...(ipv6 === undefined ? [] : [`[${format(ipv6)}]`, ...(place === 0 ? [service.hostname] : [])]),
    ];
    return words.length === 0 ? [] : [`dhcp-host=${[mac, ...words].join(',')}`];
  });
}

/** What DHCPv6 leases: single addresses, and the second one of a subnet, whose first is the routers' (anycast). */
const leased6 = ({ prefixes6 }: DhcpService): Prefix[] =>
  prefixes6.filter(one => !isAdvertised(one)).map(one => nth(one, isSingle(one) ? 0n : 1n));

/** A subnet of which only the addresses in `dhcp-host` are leased. */
const byMac = (subnet: string): string => `dhcp-range=${subnet},static,64,${LEASE6}`;

/** The longest interval between advertisements, and how long one is valid, in seconds (RFC 4861, 6.2.1). */
const INTERVAL = 600;
const LIFETIME = 1800;

/**
 * How long DHCPv6 leases an address, in seconds: the shortest that dnsmasq can. It keeps the address for one DUID, and an
 * installed system, which has another DUID than its installer, has to wait that long.
 */
const LEASE6 = 120;

/**
 * Router advertisements, always from the bridge's link-local address, with the name servers (RFC 8106). A whole /64 is for
 * autoconfiguration, with DHCPv6 for further questions (flag O); other addresses are leased (flag M). Their subnets must be
 * declared to share the wire of one that the bridge carries.
 */
function ipv6({ name, scope }: BridgeSpec, service: DhcpService, dhcp: DhcpConfig): string[] {
  const { domain, lease } = dhcp;
  const six = (all: readonly Prefix[]) => all.filter(one => one.family === 6).map(one => `[${format(one)}]`);
  const [servers, times] = [six(dhcp.dns), six(dhcp.ntp)];
  const leased = inPlaces(leased6(service), service);
  const subnets = new Set(leased.map(one => formatAddress(6, (one.first >> 64n) << 64n)));
  const open = service.macs.length === 0 ? leased.slice(0, 1).map(format) : [];
  return [
    'enable-ra',
    'quiet-ra',
    'quiet-dhcp6',
    `ra-param=${name},mtu:${service.mtu},${Math.min(INTERVAL, Math.floor(lease / 3))},${LIFETIME}`,
    ...service.prefixes6
      .filter(isAdvertised)
      .map(({ first }) => `dhcp-range=${formatAddress(6, first)},ra-stateless,64,${lease}`),
    ...(leased.length > 0 ? [byMac(formatAddress(6, privateSubnet(scope).first))] : []),
    ...[...subnets].flatMap(subnet => [
      `shared-network=${name},${subnet}`,
      ...(open.length > 0 ? [] : [byMac(subnet)]),
    ]),
    ...open.map(address => `dhcp-range=${address},${address},64,${LEASE6}`),
    ...(servers.length > 0 ? [`dhcp-option=option6:dns-server,${servers.join(',')}`] : []),
    ...(times.length > 0 ? [`dhcp-option=option6:ntp-server,${times.join(',')}`] : []),
    `dhcp-option=option6:domain-search,${domain}`,
  ];
}
