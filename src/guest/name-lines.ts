/** Names of addresses in the formats of other programs. */
import { Address4, Address6 } from 'ip-address';
import { formatAddress } from '../model/address.ts';
import type { HostName } from '../model/hostname.ts';
import type { Prefix } from '../model/prefix.ts';

/** The name with a domain: its own, or else the site's. */
export const fullName = ({ label, full }: HostName, domain: string): string => full ?? `${label}.${domain}`;

/** A line of hosts(5): the full name first, as `hostname --fqdn` wants it. */
export function hostsLine(address: Prefix, { label }: HostName, full: string): string {
  return `${formatAddress(address.family, address.first)}\t${full} ${label}`;
}

/** A line of a reverse zone (RFC 1035, 3.5; RFC 3596, 2.5). */
export function ptrLine({ family, first }: Prefix, _name: HostName, full: string): string {
  const address = (family === 4 ? Address4 : Address6).fromBigInt(first);
  return `${address.reverseForm()} IN PTR ${full}.`;
}
