/**
 * Which sources are translated. Of a flow that is tracked these chains see the first packet, before any rule of others;
 * no other packet meets any translation.
 */
import type { Config, UplinkInForce } from '../../model/config.ts';
import type { Family } from '../../model/prefix.ts';
import { UNROUTED } from '../../model/reserved.ts';
import {
  back,
  type Chain,
  chain,
  fromNet,
  go,
  jump,
  keep,
  learning,
  type Rule,
  redirectedCall,
  rule,
  source,
  to,
  toDomain,
  toNet,
} from './rules.ts';
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
  particular: readonly Rule[],
): Chain[] {
  const pools = config.pools.filter(pool => pool.family === family);
  return [
    chain(
      'hnet-postrouting',
      // What the host itself calls doesn't pass the chains of forwarded packets.
      rule(jump('hnet-called'), toDomain, redirectedCall),
      ...pools.map(pool => rule(keep, fromNet(pool))),
      ...(family === 4 ? toPeers(config, uplinks, sets) : []),
      ...pools.map(pool => rule(go('hnet-calling'), toNet(pool))),
      ...(family === 4 ? uplinks.flatMap(one => translated(one, sets)) : []),
      rule(back),
    ),
    learning('hnet-called', sets, particular),
    // A container, or a VPN's peer: its owner translates it. The same goes for a flow whose destination somebody has
    // translated: he may have to translate its source for the way back.
    chain(
      'hnet-calling',
      rule(back, { is: 'redirected' }),
      ...UNROUTED[family].map(net => rule(back, fromNet(net))),
      rule(keep),
    ),
  ];
}

/** A domain of another host would answer to a scope of its own host. */
function toPeers({ cluster }: Config, uplinks: readonly UplinkInForce[], sets: SetNames): Rule[] {
  const host = uplinks.find(one => one.host !== undefined)?.host;
  if (cluster === undefined || host === undefined) return [];
  return translated({ device: cluster.wire, host }, sets);
}

/** On each uplink to the host's own address there. */
const translated = ({ device, host }: Pick<UplinkInForce, 'device' | 'host'>, sets: SetNames): Rule[] =>
  host === undefined ? [] : [rule({ do: 'translate', source: host }, to([device]), source(sets.scopes))];
