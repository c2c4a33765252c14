/**
 * What the filter enforces, for one family and any number of domains.
 *
 * Goals: a domain uses exactly the addresses that are routed to it; a packet meets as few rules and set lookups as
 * possible; a full connection-tracking table doesn't harm domains that need no tracking.
 *
 * So the raw table decides first, before tracking: it drops spoofed packets, and untracks those that are public on both
 * ends and belong to no domain with rules. It also counts traffic, because every packet passes it. The count includes
 * packets that a domain's rules drop later, as the provider's does.
 *
 * Tension: among untracked packets no reply can be recognised. Only domains with rules need that, so only their
 * addresses are tracked (set `tracked`), and their rules judge a flow in the direction in which it began.
 */
import type { Config } from '../../model/config.ts';
import type { Family } from '../../model/prefix.ts';
import { gatewayIn, type Uplinks } from '../../model/uplink.ts';
import { clampRules } from './chains-clamp.ts';
import { forwardChains, trackedChains } from './chains-filter.ts';
import { hostChains } from './chains-host.ts';
import { natChains } from './chains-nat.ts';
import { rawChains } from './chains-raw.ts';
import { wireRules } from './chains-wire.ts';
import { guardOf } from './guarded-uplinks.ts';
import { type Entrance, fromDomain, notDestination, note, rule, toDomain } from './rules.ts';
import { type Foresight, setNames, setSpecs, TRANSLATED } from './sets.ts';

export type Ruleset = ReturnType<typeof ruleset>;

/** Everything in the filter for one family except what belongs to a running domain. */
export function ruleset(family: Family, config: Config, uplinks: Uplinks, foresight: Foresight) {
  const sets = setNames(family);
  const devices = uplinks.map(({ device }) => device);
  const gateways = uplinks.flatMap(one => gatewayIn(family, one) ?? []);
  const guarded = guardOf(family, config, uplinks, gateways);
  // An address with rules is in that set already, to stay; this would make its entry one that ends.
  const particularly = rule(note('destination', sets.particular, TRANSLATED), notDestination(sets.tracked));
  const particular = foresight === 'mangle' ? [particularly] : [];
  const clamps = clampRules(family, config, uplinks);
  const wire = wireRules(family, config, sets);
  return {
    sets: setSpecs(family, sets, foresight),
    entrances: ENTRANCES,
    chains: {
      raw: rawChains({ family, sets, config, uplinks: devices, wire, guarded, foresight }),
      mangle: [
        ...forwardChains({
          ...{ family, sets, config, uplinks: devices, wire, guarded, foresight, clamps, particular },
        }),
        ...trackedChains(sets),
        ...hostChains(family, sets, config),
      ],
      nat: natChains(family, sets, config, uplinks, particular),
    },
  };
}

/** One jump from each built-in chain. Packets that have nothing to do with domains pass on after a few comparisons. */
const ENTRANCES: readonly Entrance[] = [
  { point: 'raw-prerouting', when: [], chain: 'hnet-prerouting' },
  { point: 'filter-forward', when: [], chain: 'hnet-forward' },
  { point: 'filter-input', when: [fromDomain], chain: 'hnet-input' },
  { point: 'filter-output', when: [toDomain], chain: 'hnet-output' },
  { point: 'nat-postrouting', when: [], chain: 'hnet-postrouting' },
];
