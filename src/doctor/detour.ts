/** What leads the host's own packets elsewhere than to the uplink, and whether domains are kept from following it. */
import { familiesIn } from '../host/choose-backend.ts';
import { format } from '../model/address.ts';
import type { Family } from '../model/prefix.ts';
import { EMPTY_VIEW } from '../model/view.ts';
import { uplinkRules } from '../resources/detour.ts';
import { type Diagnosis, diagnosis } from './diagnosis.ts';
import { type Facts, knownValue } from './facts.ts';

export function checkDetour(facts: Facts): Diagnosis[] {
  const { config, uplinks, policy, network } = facts;
  if (config.is === 'unknown' || uplinks.is === 'unknown') return [];
  return bypassed(facts).flatMap(family => {
    const rules = uplinkRules(family, config.value, uplinks.value);
    if (rules.probe({ ...EMPTY_VIEW, ...network, policy }).is === 'present') return [];
    return diagnosis(detour(family, facts), 'packets of VMs follow, and are lost', 'hnet sync');
  });
}

/** What is no fault, and worth knowing. */
export const detourNotes = (facts: Facts): string[] =>
  checkDetour(facts).length > 0
    ? []
    : bypassed(facts).map(family => `${detour(family, facts)}; VMs stay on it, by rules of hnet`);

function bypassed({ config, uplinks }: Facts): Family[] {
  const families = familiesIn(knownValue(config)?.pools ?? []);
  return (knownValue(uplinks)?.[0].bypassed ?? []).filter(family => families.includes(family));
}

function detour(family: Family, { uplinks, policy, network }: Facts): string {
  const main = (knownValue(uplinks) ?? []).filter(({ way }) => way === 0).map(({ device }) => device);
  const rules = policy.rules
    .filter(
      rule => rule.family === family && !rule.isOurs && /lookup (?!main|local|default)/.test(rule.words),
    )
    .map(({ preference, words }) => `rule ${preference} (${words})`);
  const routes = [...network.routes.values()]
    .filter(({ prefix, dev }) => prefix.family === family && prefix.length <= 1 && !main.includes(dev ?? ''))
    .map(({ prefix, dev }) => `route ${format(prefix)} to ${dev ?? 'several'}`);
  return `the host's own IPv${family} packets don't leave by ${main.join(' or ')}: ${[...rules, ...routes].join(', ')}`;
}
