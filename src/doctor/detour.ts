/** What leads the host's own packets elsewhere than to the uplink, and whether domains are kept from following it. */
import { familiesIn } from '../host/choose-backend.ts';
import { format } from '../model/address.ts';
import { rangesOf } from '../model/config.ts';
import type { Family } from '../model/prefix.ts';
import { EMPTY_VIEW } from '../model/view.ts';
import { uplinkRules } from '../resources/detour.ts';
import { type Diagnosis, diagnosis } from './diagnosis.ts';
import { type Facts, knownValue } from './facts.ts';

export function checkDetour(facts: Facts): Diagnosis[] {
  const { config, uplink, policy } = facts;
  if (config.is === 'unknown' || uplink.is === 'unknown') return [];
  return bypassed(facts).flatMap(family => {
    const rules = uplinkRules(family, rangesOf(family, config.value), uplink.value);
    if (rules.probe({ ...EMPTY_VIEW, policy }).is === 'present') return [];
    return diagnosis(detour(family, facts), 'packets of VMs follow, and are lost', 'hnet sync');
  });
}

/** What is no fault, and worth knowing. */
export const detourNotes = (facts: Facts): string[] =>
  checkDetour(facts).length > 0
    ? []
    : bypassed(facts).map(family => `${detour(family, facts)}; VMs stay on it, by rules of hnet`);

function bypassed({ config, uplink }: Facts): Family[] {
  const families = familiesIn(knownValue(config)?.pools ?? []);
  return (knownValue(uplink)?.bypassed ?? []).filter(family => families.includes(family));
}

function detour(family: Family, { uplink, policy, network }: Facts): string {
  const device = knownValue(uplink)?.device ?? '';
  const rules = policy.rules
    .filter(
      rule => rule.family === family && !rule.isOurs && /lookup (?!main|local|default)/.test(rule.words),
    )
    .map(({ preference, words }) => `rule ${preference} (${words})`);
  const routes = [...network.routes.values()]
    .filter(({ prefix, dev }) => prefix.family === family && prefix.length <= 1 && dev !== device)
    .map(({ prefix, dev }) => `route ${format(prefix)} to ${dev ?? 'several'}`);
  return `the host's own IPv${family} packets don't leave by ${device}: ${[...rules, ...routes].join(', ')}`;
}
