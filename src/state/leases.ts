import { readIfThere } from '../host/files.ts';
import { parseAddress } from '../model/address.ts';
import { leaseFile } from '../model/names.ts';
import { contains, type Prefix } from '../model/prefix.ts';
import { ifPossible } from '../model/refusal.ts';

interface Lease {
  readonly address: Prefix;
  /** Undefined for DHCPv6, for which the file has no MAC. */
  readonly mac: string | undefined;
  /** End of the lease in seconds since the epoch. */
  readonly expires: number;
}

/**
 * The leases of a bridge that haven't expired, by dnsmasq's file: expiry, MAC or for DHCPv6 the IAID, address, name, client
 * id. Other lines are passed over, as dnsmasq does.
 */
export function readLeases(bridge: string, now = Date.now()): Lease[] {
  const leases = (readIfThere(leaseFile(bridge)) ?? '').split('\n').map(parseLease);
  return leases.filter(lease => lease !== undefined).filter(({ expires }) => expires * 1000 > now);
}

function parseLease(line: string): Lease | undefined {
  const [, expires, whose = '', text = ''] = /^(\d+) ([0-9a-f:]{17}|T?\d+) ([0-9a-f.:]+) /.exec(line) ?? [];
  const mac = whose.includes(':') ? whose : undefined;
  return ifPossible(() => ({ address: parseAddress(text), mac, expires: Number(expires) }));
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
