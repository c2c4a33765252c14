/** The text of a DHCP server's configuration (dnsmasq(8)), for each mode. Pure. */
import { format, formatAddress, last, nth, type Prefix } from '../address.ts';
import type { DhcpConfig } from '../config.ts';
import type { DhcpMode } from '../dhcp-mode.ts';
import { DHCP_DIRECTORY, gatewayOf, LEASES_DIRECTORY } from '../names.ts';
import type { BridgeSpec } from './bridge.ts';

export const configurationFile = (bridge: string): string => `${DHCP_DIRECTORY}/${bridge}.conf`;
export const pidFile = (bridge: string): string => `${DHCP_DIRECTORY}/${bridge}.pid`;
export const leaseFile = (bridge: string): string => `${LEASES_DIRECTORY}/${bridge}.leases`;

/** What the server of one bridge hands out. */
export interface DhcpService {
  readonly mode: DhcpMode;
  /** The domain's name, made safe. */
  readonly hostname: string;
  /** The public addresses on the bridge, as single ones. */
  readonly addresses: readonly Prefix[];
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
    ...(service.mode === 'public' ? publicRanges(spec, service, dhcp) : [bootstrapRange(spec, dhcp)]),
    `dhcp-option=option:router,${format(gatewayOf(spec.scope))}`,
    ...(servers.length > 0 ? [`dhcp-option=option:dns-server,${servers.join(',')}`] : []),
    `dhcp-option=12,${service.hostname}`,
    `domain=${dhcp.domain}`,
    '',
  ].join('\n');
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
  const { addresses, macs } = service;
  const gateway = format(gatewayOf(scope));
  const served = addresses.slice(0, Math.max(1, macs.length)).map(format);
  const mode = (address: string): string => (macs.length === 0 ? address : 'static');
  return [
    ...served.flatMap((address, index) => [
      `shared-network=${name},${address}`,
      `dhcp-range=${address},${mode(address)},255.255.255.255,${lease}`,
      ...(macs[index] === undefined ? [] : [`dhcp-host=${macs[index]},${address}`]),
    ]),
    `dhcp-option=option:classless-static-route,${gateway}/32,0.0.0.0,0.0.0.0/0,${gateway}`,
  ];
}
