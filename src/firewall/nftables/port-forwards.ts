/** Ports of the host that lead to domains, in nftables: each domain has base chains of its own, so nothing leads to them. */
import type { FilterView } from '../../model/view.ts';
import { type Action, nft } from '../../resources/action.ts';
import { type Finding, overall } from '../../resources/resource.ts';
import type { Calls } from '../rules/backend.ts';
import { markOf, probeChain } from '../rules/fingerprint.ts';
import { chainKey, deletion, fill, tableOf, written } from './text.ts';

/** Before others translate: their usual priority is -100 (nft(8), dstnat), and the first translation decides. */
const HOOKS = {
  incoming: '{ type nat hook prerouting priority -101; policy accept; }',
  own: '{ type nat hook output priority -101; policy accept; }',
} as const;

const SIDES = ['incoming', 'own'] as const;

const marked = (calls: Calls, side: (typeof SIDES)[number]) => {
  const chain = written(calls[side], calls.family);
  return { chain, mark: markOf(JSON.stringify(chain)) };
};

export const probeForwards = (calls: Calls, { chains }: FilterView): Finding =>
  overall(
    SIDES.map(side => {
      const { chain, mark } = marked(calls, side);
      return probeChain(chain, mark, chains.get(chainKey(chain.name, calls.family)));
    }),
  );

export const installForwards = (calls: Calls): Action[] =>
  SIDES.flatMap(side => {
    const { chain, mark } = marked(calls, side);
    const table = tableOf(calls.family);
    return [
      nft('add', 'chain', table, chain.name, HOOKS[side]),
      nft('flush', 'chain', table, chain.name),
      ...fill(chain, mark, calls.family),
    ];
  });

export const removeForwards = ({ incoming, own, family }: Calls, { chains }: FilterView): Action[] =>
  deletion([incoming.name, own.name], family, chains);
