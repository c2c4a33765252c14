/** The bootstrap lease, and what boot ROMs get, as lines of a DHCP server's configuration (dnsmasq(8)). */
import { format, formatAddress } from '../model/address.ts';
import type { BridgeSpec } from '../model/bridge.ts';
import type { Boot } from '../model/config.ts';
import { gatewayOf, leasedOf } from '../model/names.ts';

/**
 * @param lease in seconds; undefined where the host has no IPv4: a range of which nothing is leased, for then the server
 * listens, which is how it is known to run
 */
export function bootstrapRange({ scope }: BridgeSpec, lease: number | undefined, tag = ''): string {
  const [first, final] = leasedOf(scope).map(format);
  const mask = formatAddress(4, ((1n << BigInt(scope.length)) - 1n) << BigInt(32 - scope.length));
  if (lease === undefined) return `dhcp-range=${first},static,${mask}`;
  return `dhcp-range=${tag}${first},${final},${mask},${lease}`;
}

/** How long a boot ROM has its lease, in seconds: the shortest that dnsmasq can. The system that it loads asks anew. */
const ROM_LEASE = 120;

/** Where systems get the public address, a /32, a ROM gets the bootstrap lease: it knows no gateway outside of a subnet. */
export const romRange = (spec: BridgeSpec): string => bootstrapRange(spec, ROM_LEASE, 'tag:rom,');

/**
 * ROMs are known by their class (PXE 2.1, 2.2.3), and iPXE by an option and a user class of its own. What a domain says
 * itself is for all of them; else iPXE gets what is meant for it, because the file that a ROM loads often is iPXE again.
 * @param isPublic whether the ROM must be told from the system
 */
export function bootRoms(
  { scope }: BridgeSpec,
  boot: Boot & { readonly own: string | undefined },
  isPublic: boolean,
): string[] {
  const server = format(boot.server ?? gatewayOf(scope));
  const [file, ipxe] = [boot.own ?? boot.file, boot.own ?? boot.ipxe];
  if (!isPublic && file === undefined && ipxe === undefined) return [];
  return [
    'dhcp-match=set:rom,175',
    'dhcp-vendorclass=set:rom,PXEClient',
    'dhcp-userclass=set:ipxe,iPXE',
    ...(file === undefined ? [] : [`dhcp-boot=tag:rom,tag:!ipxe,${file},,${server}`]),
    ...(ipxe === undefined ? [] : [`dhcp-boot=tag:ipxe,${ipxe},,${server}`]),
  ];
}
