import { firewalldPolicies } from '../firewall/foreign/firewalld.ts';
import { blockades } from '../firewall/foreign/passages.ts';
import { chooseFirewall } from '../host/choose-backend.ts';
import { CONTESTS_FILE } from '../model/names.ts';
import { EMPTY_VIEW, type View } from '../model/view.ts';
import { parseContests } from '../state/contests.ts';
import { type Diagnosis, diagnosis } from './diagnosis.ts';
import type { Facts } from './facts.ts';

/** Filters of others that drop what we accept: an accept ends the chain of one table, not those of other tables. */
export function checkStrangers({ config, uplinks, strangers, file }: Facts): Diagnosis[] {
  if (config.is === 'unknown' || uplinks.is === 'unknown') return [];
  const filter = { ...EMPTY_VIEW.filter, foreign: strangers };
  const view: View = { ...EMPTY_VIEW, filter, sysctl: path => file(path)?.text.trim() };
  const closed = blockades(config.value, uplinks.value, chooseFirewall(config.value), view);
  const policies = firewalldPolicies(config.value).probe(view);
  const unaware = policies.is === 'present' ? [] : ["firewalld runs without hnet's policies"];
  return [...closed, ...unaware].flatMap(what =>
    diagnosis(what, "hnet's own accept doesn't reach into the filters of others", 'hnet sync'),
  );
}

/** Programs that want the place of a rule of ours, as the daemon has seen. */
export const checkContests = ({ file }: Facts): Diagnosis[] =>
  parseContests(file(CONTESTS_FILE)?.text ?? '[]').flatMap(({ what, why, times, since, by }) =>
    diagnosis(
      `${what}: ${why}, ${times} times since ${new Date(since).toISOString()}${by === undefined ? '' : `; the last program that changed filters is ${by}`}`,
      'another program wants the same place, so hnet-watch puts its rule back less and less often, at last once a minute',
      'iptables-save  # shows whose rule it is; have that program append its rules instead of inserting them',
    ),
  );

/** What no command mends, and does no harm: it was dropped. */
export const impostorNotes = ({ impostors }: Facts): string[] =>
  impostors === 0n
    ? []
    : [
        `other networks of this host (a container, a VPN's peer) have sent ${impostors} packets under addresses of VMs; hnet has dropped them`,
      ];
