/** Where nothing leaves to what the Internet doesn't route. */
import type { Config, UplinkInForce } from '../../model/config.ts';
import type { Family, Prefix } from '../../model/prefix.ts';
import { isReserved } from '../../model/reserved.ts';
import type { Guard } from './guard.ts';

/**
 * The uplinks by which nothing leaves to what the Internet doesn't route. Where the configuration says nothing, those on
 * which the host's own address is public, or it has none: the others are in a private network themselves.
 */
export function guardedUplinks<T extends UplinkInForce>({ firewall }: Config, uplinks: readonly T[]): T[] {
  if (firewall.privateDestinations === 'allow') return [];
  const isPublic = ({ host }: UplinkInForce): boolean => host === undefined || !isReserved(host);
  return uplinks.filter(one => firewall.privateDestinations !== undefined || isPublic(one));
}

/** @param gateways on these uplinks */
export function guardOf(
  family: Family,
  config: Config,
  uplinks: readonly UplinkInForce[],
  gateways: readonly Prefix[],
): Guard {
  const guarded = guardedUplinks(config, uplinks);
  // With none of them the set is empty, and the rule stays.
  const devices = (guarded.length === 0 ? uplinks : guarded).map(({ device }) => device);
  return {
    devices,
    isEverywhere: devices.length === uplinks.length,
    reachable: [...gateways, ...named(config)].filter(one => one.family === family),
  };
}

function named({ firewall, dhcp }: Config): Prefix[] {
  const { privateDestinations: choice = [] } = firewall;
  const boot = dhcp.boot.server === undefined ? [] : [dhcp.boot.server];
  return [...dhcp.dns, ...dhcp.ntp, ...boot, ...(typeof choice === 'string' ? [] : choice)];
}
