/** The rules of single domains in iptables. */

import { format, formatLong } from '../../model/address.ts';
import { digest } from '../../model/names.ts';
import type { Family, Prefix } from '../../model/prefix.ts';
import { isTracked } from '../../model/rule.ts';
import type { View } from '../../model/view.ts';
import { type Action, ipset } from '../../resources/action.ts';
import { ABSENT, changed, overall, PRESENT, type Resource } from '../../resources/resource.ts';
import type { Guarded } from '../rules/policy-chains.ts';
import { policyChainNames, policyChains } from '../rules/policy-chains.ts';
import { labelled } from '../rules/rules.ts';
import { DISPATCH, SETTLING, setNames } from '../rules/sets.ts';
import { entries } from './sets.ts';
import { probeChain, renderChain, restore } from './tables.ts';
import { tableKey, targetOf } from './text.ts';

/** The rules of one domain: its chains, reached from the dispatch chains by its addresses. */
export function policy(guarded: Guarded, family: Family): Resource {
  const filterKey = tableKey('filter', family);
  const { domain, addresses, scopes, policy: wanted, underway } = guarded;
  const sets = setNames(family);
  const names = policyChainNames(domain);
  const prefixes = [...addresses, ...scopes].filter(one => one.family === family);
  const chains = isTracked(wanted) ? policyChains(domain, wanted, family) : [];
  const mark = `hnet:${digest(chains.flatMap(chain => renderChain(chain, family, '')).join('\n'))}`;
  const dispatch = prefixes.flatMap(prefix =>
    DISPATCH.map(
      ({ name, side, to }) =>
        `-A ${name} ${side === 'source' ? '-s' : '-d'} ${format(prefix)} -g ${names[to]}`,
    ),
  );
  const all = Object.values(names);
  return {
    key: `policy ${family} ${domain}`,
    label: labelled('rules of the domain', family),
    probe: ({ filter }) => {
      const standing = all.filter(name => filter.chains.has(`${filterKey} ${name}`));
      if (chains.length === 0)
        return standing.length === 0 ? PRESENT : changed('it has rules that nobody gave it');
      const reached = DISPATCH.flatMap(({ name }) => filter.chains.get(`${filterKey} ${name}`) ?? []).filter(
        ({ text }) => all.includes(targetOf(text) ?? ''),
      );
      if (standing.length === 0) return ABSENT;
      return overall([
        ...chains.map(chain => probeChain(filter.chains, 'filter', chain, family, mark)),
        reached.length === dispatch.length ? PRESENT : changed('its addresses lead elsewhere'),
      ]);
    },
    up: view => {
      if (chains.length === 0)
        return [...prefixes.map(one => entries.remove(sets.tracked, one)), ...removal(all, family, view)];
      const lines = [
        ...chains.map(({ name }) => `:${name} - [0:0]`),
        ...chains.flatMap(chain => renderChain(chain, family, mark)),
        ...oldDispatch(all, family, view),
        ...dispatch,
      ];
      return [
        restore('filter', family, lines),
        ...(underway ? prefixes.map(one => settle(sets.settling, one)) : []),
        ...prefixes.map(one => entries.add(sets.tracked, one)),
      ];
    },
    down: view => [...prefixes.map(one => entries.remove(sets.tracked, one)), ...removal(all, family, view)],
  };
}

const settle = (name: string, prefix: Prefix): Action =>
  ipset('add', name, formatLong(prefix), 'timeout', String(SETTLING));

export function removal(names: readonly string[], family: Family, view: View): Action[] {
  const standing = names.filter(name => view.filter.chains.has(`${tableKey('filter', family)} ${name}`));
  if (standing.length === 0) return [];
  return [
    restore('filter', family, [
      ...standing.map(name => `:${name} - [0:0]`),
      ...oldDispatch(names, family, view),
      ...standing.map(name => `-X ${name}`),
    ]),
  ];
}

function oldDispatch(names: readonly string[], family: Family, { filter }: View): string[] {
  return DISPATCH.flatMap(({ name: dispatch }) =>
    (filter.chains.get(`${tableKey('filter', family)} ${dispatch}`) ?? [])
      .filter(({ text }) => names.includes(targetOf(text) ?? ''))
      .map(({ text }) => `-D ${dispatch} ${text}`),
  );
}
