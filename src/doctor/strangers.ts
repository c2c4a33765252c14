import { firewalldPolicies } from '../firewall/foreign/firewalld.ts';
import { blockades } from '../firewall/foreign/passages.ts';
import { CAUSES } from '../firewall/rules/rules.ts';
import { chooseFirewall } from '../host/choose-backend.ts';
import { ZERO } from '../model/counter.ts';
import { CONTESTS_FILE } from '../model/names.ts';
import { quote } from '../model/refusal.ts';
import { EMPTY_VIEW, type View } from '../model/view.ts';
import { parseContests } from '../state/contests.ts';
import { type Diagnosis, diagnosis } from './diagnosis.ts';
import { type Facts, knownValue } from './facts.ts';

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

/** A VPN's interface may come later, and a name may be misspelt. */
export function insideNotes({ config, network }: Facts): string[] {
  const named = knownValue(config)?.firewall.inside ?? [];
  return named
    .filter(name => !network.links.has(name))
    .map(name => `"inside" in hnet.toml names ${quote(name)}, which is no interface of this host now`);
}

/** What no command mends, and does no harm: it was dropped. */
export const dropNotes = ({ drops }: Facts): string[] =>
  NOTED.flatMap(([cause, told]) => {
    const { packets } = drops.get(CAUSES[cause]) ?? ZERO;
    return packets === 0n ? [] : [`${told(packets)}; hnet has dropped them`];
  });

const NOTED: readonly (readonly [keyof typeof CAUSES, (packets: bigint) => string])[] = [
  [
    'impostor',
    packets =>
      `other networks of this host (a container, a VPN's peer) have sent ${packets} packets under addresses of VMs`,
  ],
  [
    'reserved',
    packets =>
      `VMs have sent ${packets} packets to addresses that the Internet does not route, as a scan does; "private_destinations" in hnet.toml lets out those that your provider has`,
  ],
];
