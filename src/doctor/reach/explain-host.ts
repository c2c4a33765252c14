/** Whether the domain runs, with which addresses, and whether everything of hnet's stands for it; pure. */
import { quote } from '../../model/refusal.ts';
import { type AddressFacts, type Finding, kindOf, type NicFacts, type ReachFacts } from './facts.ts';

export function explainAssignment(facts: ReachFacts): Finding[] {
  const { word, assignment, why } = facts;
  const about = { address: null, mend: `hnet unassign ${word} && hnet assign ${word}` };
  switch (assignment) {
    case 'none':
      return [
        { ...about, cause: 'unassigned', saw: 'it has no address assigned', mend: `hnet assign ${word}` },
      ];
    case 'a clone':
      return [{ ...about, cause: 'clone', saw: 'it is a clone: its metadata is that of another domain' }];
    case 'unreadable':
      return [{ ...about, cause: 'metadata', saw: `its metadata can't be used: ${why}` }];
    case 'assigned':
      return [...facts.addresses.flatMap(one => explainHolder(one, word)), ...explainState(facts)];
  }
}

function explainHolder({ address, holder }: AddressFacts, word: string): Finding[] {
  if (holder === null) return [];
  const saw = `the domain ${quote(holder)} has it, and runs`;
  return [{ cause: 'taken', address, saw, mend: `hnet unassign ${word} ${address} && hnet assign ${word}` }];
}

/** How a domain gets on from a state that isn't `running`. */
const ONWARD: Readonly<Record<string, string>> = { paused: 'resume', pmsuspended: 'dompmwakeup' };

function explainState({ state, word, record }: ReachFacts): Finding[] {
  if (state !== 'running') {
    const mend = `virsh ${ONWARD[state] ?? 'start'} ${word}`;
    return [{ cause: 'not running', address: null, saw: `its state is ${quote(state)}`, mend }];
  }
  return record === null ? [] : [{ cause: 'record', address: null, saw: record, mend: 'hnet sync' }];
}

/** Whether each bridge has an interface of the domain as its port. */
export function explainNics(facts: ReachFacts): Finding[] {
  return facts.bridges.flatMap(({ name }) => {
    const about = facts.addresses.find(({ bridge }) => bridge === name)?.address ?? null;
    const here = facts.nics.filter(({ source }) => source === name);
    if (here.length === 0) return [detached(name, about, facts)];
    const wrong = here.map(nic => explainNic(nic, name, facts));
    // One port will do, whichever it is.
    return wrong.every(one => one !== undefined)
      ? wrong.slice(0, 1).map(one => ({ ...one, address: about }))
      : [];
  });
}

function detached(bridge: string, address: string | null, { nics, word }: ReachFacts): Finding {
  const others = nics.map(({ mac, source }) => `${mac} is on ${source ?? 'no bridge'}`).join(', ');
  const saw = `no interface of it is on ${bridge}: ${others || 'it has none'}`;
  return {
    cause: 'interface',
    address,
    saw,
    mend: `hnet assign ${word}${address === null ? '' : ` ${address}`}`,
  };
}

function explainNic(
  { mac, link, tap, port }: NicFacts,
  bridge: string,
  { word, drift }: ReachFacts,
): Omit<Finding, 'address'> | undefined {
  const which = `its interface ${mac}`;
  if (link === 'down')
    return {
      cause: 'link down',
      saw: `${which} has its link set down`,
      mend: `virsh domif-setlink ${word} ${mac} up`,
    };
  if (port === null) {
    const saw = `${which} has no end on the host${tap === null ? '' : `: there is no ${tap}`}`;
    return { cause: 'interface', saw, mend: `virsh destroy ${word} && virsh start ${word}` };
  }
  if (port.master !== bridge) {
    const saw = `${tap}, the end of ${which}, is in ${port.master ?? 'no bridge'} and not in ${bridge}`;
    return { cause: 'port', saw, mend: 'hnet sync' };
  }
  if (!port.up)
    return { cause: 'port', saw: `${tap}, the end of ${which}, is down`, mend: `ip link set dev ${tap} up` };
  const other = drift.find(({ key }) => key === `port ${tap}`);
  return other && { cause: 'port', saw: `${tap}, the end of ${which}: ${other.why}`, mend: 'hnet sync' };
}

/** Kinds of things that have a step of their own, or without which an address is reachable all the same. */
const APART = ['dhcp', 'passage', 'port', 'pool'];
/** Words for programs, where it isn't `drift`. */
const KINDS = ['forwarding', 'route', 'bridge'];

export const explainDrift = ({ drift }: ReachFacts): Finding[] =>
  drift
    .filter(one => !APART.includes(kindOf(one)))
    .map(one => {
      const cause = KINDS.find(kind => kind === kindOf(one)) ?? 'drift';
      const saw = `${one.what}: ${one.why}`;
      return { cause, address: null, saw, mend: one.isForeign ? 'hnet doctor' : 'hnet sync' };
    });
