import type { Config, UplinkInForce } from '../../model/config.ts';
import { isReserved } from '../../model/reserved.ts';

/**
 * The uplinks by which nothing leaves to what the Internet doesn't route. Where the configuration says nothing, those on
 * which the host's own address is public, or it has none: the others are in a private network themselves.
 */
export function guardedUplinks<T extends UplinkInForce>({ firewall }: Config, uplinks: readonly T[]): T[] {
  if (firewall.privateDestinations === 'allow') return [];
  const isPublic = ({ host }: UplinkInForce): boolean => host === undefined || !isReserved(host);
  return uplinks.filter(one => firewall.privateDestinations !== undefined || isPublic(one));
}
