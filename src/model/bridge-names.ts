import { formatAddress } from './address.ts';
import { digest } from './names.ts';
import type { Prefix } from './prefix.ts';

/**
 * Names for the bridge of an address, `br<last octet>` first. Each further name is more specific; the last one, the
 * address in hex or a digest of it, is unique. All are valid names of interfaces.
 */
export function bridgeNames(address: Prefix): string[] {
  if (address.family === 6) {
    const group = (address.first & 0xffffn).toString(16);
    return [`br${group}`, `br6-${digest(formatAddress(6, address.first))}`];
  }
  const [, b, c, d] = formatAddress(4, address.first).split('.');
  return [`br${d}`, `br${c}-${d}`, `br${b}-${c}-${d}`, `br-${address.first.toString(16).padStart(8, '0')}`];
}
