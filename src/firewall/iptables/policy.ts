/** The rules of single domains in iptables: their chains, and the jumps to them from the dispatch chains. */
import { format, formatLong } from '../../model/address.ts';
import type { Family, Prefix } from '../../model/prefix.ts';
import type { FilterView } from '../../model/view.ts';
import { type Action, ipset } from '../../resources/action.ts';
import { changed, type Finding, overall, PRESENT } from '../../resources/resource.ts';
import type { DomainRules } from '../rules/backend.ts';
import { markOf, probeChain } from '../rules/fingerprint.ts';
import { DISPATCH, SETTLING, setNames } from '../rules/sets.ts';
import { type AnyTable, declare, deletion, FORMER, jumpsAway, restore, written } from './chain.ts';
import { entries } from './sets.ts';
import { tableKey } from './text.ts';

type Chains = FilterView['chains'];

const keyOf = (chain: string, family: Family, place: AnyTable = 'mangle'): string =>
  `${tableKey(place, family)} ${chain}`;

/** The domain's chains in the words of iptables, and their fingerprint. */
function render({ chains, family }: DomainRules) {
  const mark = markOf(chains.flatMap(chain => written(chain, family, '').lines).join('\n'));
  return { mark, all: chains.map(chain => written(chain, family, mark)) };
}

/** The jumps from the dispatch chains to the domain's own. */
const jumpsTo = ({ prefixes, names }: DomainRules): string[] =>
  prefixes.flatMap(prefix =>
    DISPATCH.map(({ name, side, to }) => {
      const option = side === 'source' ? '-s' : '-d';
      return `-A ${name} ${option} ${format(prefix)} -g ${names[to]}`;
    }),
  );

export function probeRules(rules: DomainRules, { chains: actual }: FilterView): Finding {
  const { names, family } = rules;
  const { mark, all } = render(rules);
  const jumps = oldJumps(Object.values(names), family, actual);
  return overall([
    ...all.map(chain => probeChain(chain, mark, actual.get(keyOf(chain.name, family)))),
    jumps.length === jumpsTo(rules).length ? PRESENT : changed('its addresses lead elsewhere'),
  ]);
}

export function installRules(rules: DomainRules, settling: boolean, { chains }: FilterView): Action[] {
  const { names, prefixes, family } = rules;
  const sets = setNames(family);
  const { all } = render(rules);
  const settle = (prefix: Prefix): Action =>
    ipset('add', sets.settling, formatLong(prefix), 'timeout', String(SETTLING));
  return [
    restore('mangle', family, [
      ...all.map(({ name }) => declare(name)),
      ...all.flatMap(({ lines }) => lines),
      ...oldJumps(Object.values(names), family, chains),
      ...jumpsTo(rules),
    ]),
    ...(settling ? prefixes.map(settle) : []),
    ...prefixes.map(one => entries.add(sets.tracked, one)),
  ];
}

export const removeRules = ({ prefixes, names, family }: DomainRules, { chains }: FilterView): Action[] => [
  ...prefixes.map(one => entries.remove(setNames(family).tracked, one)),
  ...removal(Object.values(names), family, chains),
];

/** Removes chains of domains' rules, and the jumps to them. */
export function removal(names: readonly string[], family: Family, actual: Chains): Action[] {
  return (['mangle', FORMER] as const).flatMap(place => {
    const ours = names.filter(name => actual.has(keyOf(name, family, place)));
    return deletion(place, family, ours, oldJumps(names, family, actual, place));
  });
}

/** Deletes the jumps to these chains. */
const oldJumps = (
  names: readonly string[],
  family: Family,
  actual: Chains,
  place: AnyTable = 'mangle',
): string[] =>
  DISPATCH.flatMap(({ name }) =>
    jumpsAway(name, target => names.includes(target), actual.get(keyOf(name, family, place))),
  );
