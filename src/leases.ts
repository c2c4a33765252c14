import { readIfThere } from './host.ts';
import { leaseFile } from './resources/dhcp.ts';

/** What the DHCP server granted. */
export interface Lease {
  readonly mac: string;
  readonly address: string;
  /** End of the lease in seconds since the epoch. */
  readonly expires: number;
}

/**
 * The leases of a bridge that haven't expired. Lines that aren't leases are passed over, as dnsmasq does
 * (dnsmasq(8), "dhcp-leasefile": expiry, MAC, address, name, client id).
 */
export function readLeases(bridge: string, now = Date.now()): Lease[] {
  const lines = (readIfThere(leaseFile(bridge)) ?? '').split('\n');
  return lines.flatMap(line => {
    const [, expires = '', mac = '', address = ''] =
      /^(\d+) ([0-9a-f:]{17}) (\d+\.\d+\.\d+\.\d+) /.exec(line) ?? [];
    const lease = { mac, address, expires: Number(expires) };
    return mac !== '' && lease.expires * 1000 > now ? [lease] : [];
  });
}
