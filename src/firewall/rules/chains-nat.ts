/**
 * Which sources are translated. Of a flow that is tracked these chains see the first packet, before any rule of others;
 * no other packet meets any translation.
 */
import { parsePrefix } from '../../model/address.ts';
import type { Config, UplinkInForce } from '../../model/config.ts';
import type { Family, Prefix } from '../../model/prefix.ts';
import { back, type Chain, chain, fromNet, go, keep, type Rule, rule, source, to, toNet } from './rules.ts';
import type { SetNames } from './sets.ts';

/**
 * Only bootstrap scopes are translated. A public address is never touched, and neither is who calls it: whatever others
 * translate.
 */
export function natChains(
  family: Family,
  sets: SetNames,
  config: Config,
  uplinks: readonly UplinkInForce[],
): Chain[] {
  const pools = config.pools.filter(pool => pool.family === family);
  return [
    chain(
      'hnet-postrouting',
      ...pools.map(pool => rule(keep, fromNet(pool))),
      ...pools.map(pool => rule(go('hnet-calling'), toNet(pool))),
      ...(family === 4 ? uplinks.flatMap(one => translated(one, sets)) : []),
      rule(back),
    ),
    chain(
      'hnet-calling',
      rule(back, { is: 'redirected' }),
      ...UNROUTED[family].map(net => rule(back, fromNet(net))),
      rule(keep),
    ),
  ];
}

/** On each uplink to the host's own address there. */
const translated = ({ device, host }: UplinkInForce, sets: SetNames): Rule[] =>
  host === undefined ? [] : [rule({ do: 'translate', source: host }, to([device]), source(sets.scopes))];

/**
 * What the Internet doesn't route (RFC 1918, 6598, 3927, 4193): a container, or a VPN's peer, whose owner translates it. The
 * same goes for a flow whose destination somebody has translated: he may have to translate its source for the way back.
 */
export const UNROUTED: Readonly<Record<Family, readonly Prefix[]>> = {
  4: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '169.254.0.0/16'].map(parsePrefix),
  6: ['fc00::/7'].map(parsePrefix),
};
