/** Ports of the host that lead to domains, in iptables: a chain for each domain, and a jump to it. */
import type { Family } from '../../model/prefix.ts';
import type { FilterView } from '../../model/view.ts';
import type { Action } from '../../resources/action.ts';
import { changed, type Finding, overall, PRESENT } from '../../resources/resource.ts';
import type { Calls } from '../rules/backend.ts';
import { markOf, probeChain } from '../rules/fingerprint.ts';
import { declare, deletion, FORWARDS, jumpsAway, restore, written } from './chain.ts';
import { tableKey } from './text.ts';

type Chains = FilterView['chains'];

/** The domain's chain in the words of iptables, and its fingerprint. Both built-in chains lead to it. */
function render({ incoming, family }: Calls) {
  const mark = markOf(written(incoming, family, '').lines.join('\n'));
  return { mark, chain: written(incoming, family, mark) };
}

const linesIn = (name: string, family: Family, chains: Chains) =>
  chains.get(`${tableKey('nat', family)} ${name}`);

export function probeForwards(calls: Calls, { chains }: FilterView): Finding {
  const { mark, chain } = render(calls);
  const jumps = jumpsTo([chain.name], calls.family, chains);
  return overall([
    probeChain(chain, mark, linesIn(chain.name, calls.family, chains)),
    jumps.length === 1 ? PRESENT : changed('no call is led to them'),
  ]);
}

export function installForwards(calls: Calls, { chains }: FilterView): Action[] {
  const { chain } = render(calls);
  return [
    restore('nat', calls.family, [
      declare(chain.name),
      ...chain.lines,
      ...jumpsTo([chain.name], calls.family, chains),
      `-A ${FORWARDS} -j ${chain.name}`,
    ]),
  ];
}

export const removeForwards = ({ incoming, family }: Calls, { chains }: FilterView): Action[] =>
  removal([incoming.name], family, chains);

/** Removes chains of domains' forwards, and the jumps to them. */
export function removal(names: readonly string[], family: Family, chains: Chains): Action[] {
  const ours = names.filter(name => linesIn(name, family, chains) !== undefined);
  return deletion('nat', family, ours, jumpsTo(names, family, chains));
}

/** Deletes the jumps to these chains. */
const jumpsTo = (names: readonly string[], family: Family, chains: Chains): string[] =>
  jumpsAway(FORWARDS, target => names.includes(target), linesIn(FORWARDS, family, chains));
