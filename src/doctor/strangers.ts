import { firewalldPolicies } from '../firewall/foreign/firewalld.ts';
import { blockades } from '../firewall/foreign/passages.ts';
import { chooseFirewall } from '../host/choose-backend.ts';
import { EMPTY_VIEW, type View } from '../model/view.ts';
import { type Diagnosis, diagnosis } from './diagnosis.ts';
import type { Facts } from './facts.ts';

/** Filters of others that drop what we accept: an accept ends the chain of one table, not those of other tables. */
export function checkStrangers({ config, uplink, strangers, file }: Facts): Diagnosis[] {
  if (config.is === 'unknown' || uplink.is === 'unknown') return [];
  const filter = { ...EMPTY_VIEW.filter, foreign: strangers };
  const view: View = { ...EMPTY_VIEW, filter, sysctl: path => file(path)?.text.trim() };
  const closed = blockades(config.value, uplink.value, chooseFirewall(config.value), view);
  const policies = firewalldPolicies(config.value).probe(view);
  const unaware = policies.is === 'present' ? [] : ["firewalld runs without hnet's policies"];
  return [...closed, ...unaware].flatMap(what =>
    diagnosis(what, "hnet's own accept doesn't reach into the filters of others", 'hnet sync'),
  );
}
