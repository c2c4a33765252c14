/**
 * What the filter enforces, for one family; the same on a host with no domain and with 4,000.
 *
 * Goals: a domain uses exactly the addresses that are routed to it; a packet meets as few rules and sets as
 * can decide about it; a full connection-tracking table harms nobody who needs no tracking.
 *
 * So raw decides first, before tracking: what is spoofed is dropped, what is public on both ends, and belongs
 * to no domain with rules of its own, isn't tracked at all. Accounting happens there too, where every packet
 * of an established flow still passes; it counts what a policy drops later as well, for the provider does.
 *
 * Tension: untracked packets have no replies. Only a domain with rules needs to know them, so its addresses
 * stand in the set `tracked`, and its flows are judged in the direction in which they began.
 */

import type { Config } from '../../model/config.ts';
import type { Family } from '../../model/prefix.ts';
import type { Uplink } from '../../model/uplink.ts';
import { forwardChains, policyChains } from './chains-forward.ts';
import { hostChains } from './chains-host.ts';
import { rawChains } from './chains-raw.ts';
import { type Chain, type Entrance, fromDomain, type Ruleset, rule, source, to, toDomain } from './rules.ts';
import { type SetNames, setNames, setSpecs } from './sets.ts';

export function ruleset(family: Family, config: Config, uplink: Uplink): Ruleset {
  const sets = setNames(family);
  return {
    sets: setSpecs(family, sets),
    entrances: entrances(uplink.device).filter(({ point }) => family === 4 || point !== 'nat-postrouting'),
    chains: {
      raw: rawChains(family, sets, config, uplink.device),
      filter: [
        ...forwardChains(sets, config, uplink.device),
        ...policyChains(sets),
        ...hostChains(family, config),
      ],
      nat: family === 4 ? [natChain(sets, uplink)] : [],
    },
  };
}

/** One jump from each built-in chain; what isn't from, to or by us passes on after one comparison. */
function entrances(device: string): Entrance[] {
  return [
    { point: 'raw-prerouting', when: [], chain: 'hnet-prerouting' },
    { point: 'filter-forward', when: [], chain: 'hnet-forward' },
    { point: 'filter-input', when: [fromDomain], chain: 'hnet-input' },
    { point: 'filter-output', when: [toDomain], chain: 'hnet-output' },
    { point: 'nat-postrouting', when: [to(device)], chain: 'hnet-postrouting' },
  ];
}

/** Only bootstrap leases are translated: a public address is never touched, in either direction. */
function natChain(sets: SetNames, { host }: Uplink): Chain {
  return { name: 'hnet-postrouting', rules: [rule({ do: 'translate', source: host }, source(sets.scopes))] };
}
