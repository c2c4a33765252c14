/** What explains that a domain isn't reachable; pure. */

import { explainDhcp, explainGuest, explainMtu } from './explain-guest.ts';
import { explainAssignment, explainDrift, explainNics } from './explain-host.ts';
import { explainArrival, explainFilter, explainKernel, explainLimits } from './explain-way.ts';
import type { Finding, ReachFacts } from './facts.ts';

type Step = (facts: ReachFacts) => Finding[];

/** What stands on the host, by itself and by the kernel's word. */
const STANDING: readonly Step[] = [explainAssignment, explainNics, explainDrift, explainKernel];

/** What was heard; and at the end what explains nothing yet, but will. */
const HEARD: readonly Step[] = [
  explainLimits,
  explainArrival,
  explainFilter,
  explainGuest,
  explainDhcp,
  explainMtu,
];

export const explainStanding: Step = facts => STANDING.flatMap(step => step(facts));

/**
 * Everything that may explain it, from the wire to the guest: what an earlier one finds may be the cause of what a later
 * one finds. So the first is the one to look after.
 */
export const explain: Step = facts => [...explainStanding(facts), ...HEARD.flatMap(step => step(facts))];
