/** What the next starts of running domains would come to. */
import { refuseForeignAddresses, refuseForeignScopes } from '../lifecycle/admission.ts';
import { publicOf } from '../model/bridge.ts';
import type { Config } from '../model/config.ts';
import { addressesOf, type Domain } from '../model/domain.ts';
import { Refusal, reason } from '../model/refusal.ts';
import { ownAddresses, type Uplinks } from '../model/uplink.ts';
import type { Fault } from './fault.ts';
import { aboutDomain } from './matter.ts';
import { lackingNext } from './plugs.ts';

interface By {
  readonly config: Config;
  readonly uplinks: Uplinks;
}

/** Whether the configuration would let a domain start with what its definition assigns; why not, a sentence. */
export function refusedNext(next: Domain, { config, uplinks }: By): string[] {
  const addresses = addressesOf(next);
  try {
    refuseForeignAddresses(publicOf(addresses), config, ownAddresses(uplinks));
    refuseForeignScopes(addresses, config);
    return [];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [`its next start would be refused: ${reason(error)}`];
  }
}

/** @param definitions UUID → what it starts from, where that isn't what runs */
export const faultsNext = (
  running: ReadonlyMap<string, Domain>,
  definitions: ReadonlyMap<string, Domain>,
  by: By,
): Fault[] =>
  [...running].flatMap(([uuid, live]) => {
    const next = definitions.get(uuid) ?? live;
    return [...lackingNext(live, next), ...refusedNext(next, by)].map(
      (why): Fault => ({ ...aboutDomain(live), what: 'next start', is: 'changed', why, mend: null }),
    );
  });
