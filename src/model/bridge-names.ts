import { formatAddress } from './address.ts';
import { digest } from './names.ts';
import type { Prefix } from './prefix.ts';

/**
 * Names for the bridge of an address, the first being the article's `br<last octet>`. Each further one is more
 * specific; the last, the address in hex or a fingerprint of it, is unique. All fit an interface name.
 */
export function bridgeNames(address: Prefix): string[] {
  if (address.family === 6) {
    const group = (address.first & 0xffffn).toString(16);
    return [`br${group}`, `br6-${digest(formatAddress(6, address.first))}`];
  }
  const [, b, c, d] = formatAddress(4, address.first).split('.');
  return [`br${d}`, `br${c}-${d}`, `br${b}-${c}-${d}`, `br-${address.first.toString(16).padStart(8, '0')}`];
}
