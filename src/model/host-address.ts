/** The host's own addresses, which no domain can have: what is sent to them never leaves the host. */
import { formatAddress, parseInterfaceAddress } from './address.ts';
import { aliasOwner } from './names.ts';
import { equal, isLinkLocal, type Prefix } from './prefix.ts';
import type { Uplinks } from './uplink.ts';
import type { View } from './view.ts';

export interface HostAddress {
  readonly address: Prefix;
  /** Length of the subnet that it was configured with. */
  readonly length: number;
  readonly device: string;
}

/** An address that another host of the cluster has itself. */
export interface PeerAddress {
  readonly host: string;
  readonly address: Prefix;
}

/** All of them, but for those on our bridges, which are ours to give and to take. */
export function hostAddresses({ links, addresses }: Pick<View, 'links' | 'addresses'>): HostAddress[] {
  const foreign = [...addresses].filter(([device]) => !isOurs(links.get(device)?.alias));
  return foreign.flatMap(([device, texts]) =>
    texts.map(text => ({ ...parseInterfaceAddress(text), device })).filter(one => !isLinkLocal(one.address)),
  );
}

const isOurs = (alias: string | undefined): boolean => aliasOwner(alias ?? '') !== undefined;

/** `123.45.90.114 on eth0`. */
export const whereHeld = ({ address, device }: HostAddress): string =>
  `${formatAddress(address.family, address.first)} on ${device}`;

/**
 * The command that takes an address from the host; undefined where the host itself may be reached by it. Of the uplink's
 * IPv6 addresses nobody can tell which those are: a pool usually is the uplink's own subnet.
 */
export function removalOf({ address, length, device }: HostAddress, uplinks: Uplinks): string | undefined {
  const isNeeded = uplinks.some(
    one =>
      (one.host !== undefined && equal(address, one.host)) || (address.family === 6 && device === one.device),
  );
  if (isNeeded) return undefined;
  return `ip address delete ${formatAddress(address.family, address.first)}/${length} dev ${device}`;
}

/** The same, or where to look instead. */
export const mendOf = (held: HostAddress, uplinks: Uplinks): string =>
  removalOf(held, uplinks) ??
  `ip address show dev ${held.device}  # and delete it if nothing reaches the host by it`;
