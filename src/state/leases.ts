import { readIfThere } from '../host/files.ts';
import { parseAddress } from '../model/address.ts';
import { leaseFile } from '../model/names.ts';
import { contains, type Prefix } from '../model/prefix.ts';

/** What the DHCP server granted. */
export interface Lease {
  readonly address: Prefix;
  /** Undefined for DHCPv6, for which the file has no MAC. */
  readonly mac: string | undefined;
  /** End of the lease in seconds since the epoch. */
  readonly expires: number;
}

/**
 * The leases of a bridge that haven't expired. Lines that aren't leases are passed over, as dnsmasq does
 * (dnsmasq(8), "dhcp-leasefile": expiry, MAC or for DHCPv6 the IAID, address, name, client id).
 */
export function readLeases(bridge: string, now = Date.now()): Lease[] {
  const lines = (readIfThere(leaseFile(bridge)) ?? '').split('\n');
  return lines.flatMap(line => {
    const lease = parseLease(line);
    return lease !== undefined && lease.expires * 1000 > now ? [lease] : [];
  });
}

function parseLease(line: string): Lease | undefined {
  const [, expires, whose = '', text = ''] = /^(\d+) ([0-9a-f:]{17}|T?\d+) ([0-9a-f.:]+) /.exec(line) ?? [];
  try {
    const mac = whose.includes(':') ? whose : undefined;
    return { address: parseAddress(text), mac, expires: Number(expires) };
  } catch {
    return undefined;
  }
}

/** The lease of the domain that has an address: in IPv4 by its MAC, for it may be a private one, in IPv6 by the address. */
export const leaseOf = (
  prefix: Prefix,
  macs: readonly string[],
  leases: readonly Lease[],
): Lease | undefined =>
  leases.find(({ address, mac }) =>
    prefix.family === 4
      ? address.family === 4 && mac !== undefined && macs.includes(mac)
      : contains(prefix, address),
  );
