/** Ports of the host that lead to domains, and what has come in their way since they were added. */
import { isCalled, LISTENERS, type Listener, parseListener } from '../host/observe/listeners.ts';
import { format } from '../model/address.ts';
import { type Domain, domainWord, forwardsOf } from '../model/domain.ts';
import type { Forward } from '../model/forward.ts';
import { formatForward } from '../model/forward-words.ts';
import { hostAddresses } from '../model/host-address.ts';
import { equal } from '../model/prefix.ts';
import { ifPossible, quote } from '../model/refusal.ts';
import { type Diagnosis, diagnosis } from './diagnosis.ts';
import { type Facts, knownValue } from './facts.ts';

export function checkForwards(facts: Facts): Diagnosis[] {
  const all = (knownValue(facts.domains) ?? []).flatMap(({ next }) =>
    forwardsOf(next).map(forward => ({ domain: next, forward })),
  );
  if (all.length === 0) return [];
  const listening = facts
    .output(...LISTENERS)
    .split('\n')
    .flatMap(line => ifPossible(() => parseListener(line)) ?? []);
  const host = hostAddresses(facts.network);
  return all.flatMap(({ domain, forward }) => {
    const { on } = forward;
    if (on !== undefined && !host.some(({ address }) => equal(address, on)))
      return found(`the host has no address ${format(on)}`, 'nobody calls the domain by it', domain, forward);
    const server = listening.find(one => isCalled(one, forward));
    return server === undefined ? [] : found(listens(server), 'its calls go to the domain', domain, forward);
  });
}

const listens = ({ program, protocol, port }: Listener): string =>
  `${program ?? 'a program'} of the host listens on ${protocol}/${port}`;

function found(what: string, why: string, domain: Domain, forward: Forward): Diagnosis[] {
  const { on } = forward;
  const ports = formatForward({ ...forward, on: undefined });
  const words = on === undefined ? ports : `${ports} --on ${format(on)}`;
  return diagnosis(
    `${what}, and the forward ${formatForward(forward)} leads to ${quote(domain.name)}`,
    why,
    `hnet forward delete ${domainWord(domain)} ${words}`,
  );
}
