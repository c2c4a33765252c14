/** Names of addresses in the formats of other programs. Pure. */
import { formatAddress } from '../model/address.ts';
import type { HostName } from '../model/hostname.ts';
import { bits, type Prefix } from '../model/prefix.ts';

/** The name with a domain: its own, or else the site's. */
export const fullName = ({ label, full }: HostName, domain: string): string => full ?? `${label}.${domain}`;

/** A line of hosts(5): the full name first, as `hostname --fqdn` wants it. */
export function hostsLine(address: Prefix, { label }: HostName, full: string): string {
  return `${formatAddress(address.family, address.first)}\t${full} ${label}`;
}

/** A line of a reverse zone (RFC 1035, 3.5; RFC 3596, 2.5). */
export function ptrLine(address: Prefix, _name: HostName, full: string): string {
  return `${reverseName(address)}. IN PTR ${full}.`;
}

function reverseName({ family, first }: Prefix): string {
  const [step, zone] = family === 4 ? ([8, 'in-addr.arpa'] as const) : ([4, 'ip6.arpa'] as const);
  const labels = Array.from({ length: bits(family) / step }, (_, index) =>
    Number((first >> BigInt(index * step)) & ((1n << BigInt(step)) - 1n)),
  );
  return [...labels.map(label => label.toString(family === 4 ? 10 : 16)), zone].join('.');
}
