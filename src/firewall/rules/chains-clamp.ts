/** What TCP may announce as the size that it takes, where an uplink takes smaller packets than domains do. */
import type { Config, UplinkInForce } from '../../model/config.ts';
import { bounded, segmentOf, USUAL_MTU } from '../../model/mtu.ts';
import type { Family } from '../../model/prefix.ts';
import { from, fromDomain, type Rule, rule, to, toDomain, type Verdict } from './rules.ts';

type Uplink = Pick<UplinkInForce, 'device' | 'mtu'>;

/**
 * A sender that doesn't hear of a packet that was too big (RFC 2923, 2.1) goes on for ever. So both ends are told
 * beforehand. A guest that obeys neither DHCP nor router advertisements has the usual MTU, whatever its bridge has.
 */
export function clampRules(family: Family, config: Config, uplinks: readonly Uplink[]): Rule[] {
  const { mtu, cluster } = config;
  const largest = mtu ?? bounded(Math.max(...uplinks.map(one => one.mtu)));
  const narrow = uplinks.filter(one => one.mtu < Math.max(largest, USUAL_MTU));
  return [
    ...narrow.flatMap(({ device, mtu }) => clampOf(device, segmentOf(family, mtu))),
    // No filter is made anew because the MTU of the wire between hosts changes.
    ...(cluster === undefined ? [] : clampOf(cluster.wire, 'path')),
  ];
}

function clampOf(device: string, segment: number | 'path'): Rule[] {
  const clamp: Verdict = { do: 'clamp', segment };
  return [
    rule(clamp, to([device]), fromDomain, { is: 'announcing' }),
    rule(clamp, from([device]), toDomain, { is: 'announcing' }),
  ];
}
