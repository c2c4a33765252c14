/** The rules of single domains in iptables. */

import { format, formatLong } from '../../model/address.ts';
import type { Family, Prefix } from '../../model/prefix.ts';
import type { FilterView } from '../../model/view.ts';
import { type Action, ipset } from '../../resources/action.ts';
import { ABSENT, changed, type Finding, overall, PRESENT, type Resource } from '../../resources/resource.ts';
import type { Guarded } from '../rules/backend.ts';
import { type DomainRules, domainRules } from '../rules/policy-chains.ts';
import { labelled } from '../rules/rules.ts';
import { DISPATCH, SETTLING, setNames } from '../rules/sets.ts';
import { declare, markOf, probeChain, renderChain, restore } from './chain.ts';
import { entries } from './sets.ts';
import { tableKey, targetOf } from './text.ts';

type Chains = FilterView['chains'];

/** The rules of one domain: its chains, and the jumps to them from the dispatch chains, by its addresses. */
export function policy(
  { domain, addresses, scopes, policy: wanted, underway }: Guarded,
  family: Family,
): Resource {
  const rules = domainRules(domain, [...addresses, ...scopes], wanted, family);
  const end = (chains: Chains): Action[] => [
    ...rules.prefixes.map(one => entries.remove(setNames(family).tracked, one)),
    ...removal(Object.values(rules.names), family, chains),
  ];
  return {
    key: `policy ${family} ${domain}`,
    label: labelled('rules of the domain', family),
    probe: ({ filter }) => probe(rules, filter.chains),
    up: ({ filter }) =>
      rules.chains.length === 0 ? end(filter.chains) : install(rules, underway, filter.chains),
    down: ({ filter }) => end(filter.chains),
  };
}

const markFor = ({ chains, family }: DomainRules): string =>
  markOf(chains.flatMap(chain => renderChain(chain, family, '')).join('\n'));

/** The jumps from the dispatch chains to the domain's own. */
const jumpsTo = ({ prefixes, names }: DomainRules): string[] =>
  prefixes.flatMap(prefix =>
    DISPATCH.map(
      ({ name, side, to }) =>
        `-A ${name} ${side === 'source' ? '-s' : '-d'} ${format(prefix)} -g ${names[to]}`,
    ),
  );

function probe(rules: DomainRules, actual: Chains): Finding {
  const { chains, names, family } = rules;
  const all = Object.values(names);
  const exists = standing(all, family, actual).length > 0;
  if (chains.length === 0) return exists ? changed('it has rules that nobody gave it') : PRESENT;
  if (!exists) return ABSENT;
  const mark = markFor(rules);
  return overall([
    ...chains.map(chain => probeChain(actual, 'filter', chain, family, mark)),
    oldJumps(all, family, actual).length === jumpsTo(rules).length
      ? PRESENT
      : changed('its addresses lead elsewhere'),
  ]);
}

function install(rules: DomainRules, underway: boolean, actual: Chains): Action[] {
  const { chains, names, prefixes, family } = rules;
  const sets = setNames(family);
  const mark = markFor(rules);
  const settle = (prefix: Prefix): Action =>
    ipset('add', sets.settling, formatLong(prefix), 'timeout', String(SETTLING));
  return [
    restore('filter', family, [
      ...chains.map(({ name }) => declare(name)),
      ...chains.flatMap(chain => renderChain(chain, family, mark)),
      ...oldJumps(Object.values(names), family, actual),
      ...jumpsTo(rules),
    ]),
    ...(underway ? prefixes.map(settle) : []),
    ...prefixes.map(one => entries.add(sets.tracked, one)),
  ];
}

/** Removes chains of domains' rules, and the jumps to them. */
export function removal(names: readonly string[], family: Family, actual: Chains): Action[] {
  const ours = standing(names, family, actual);
  if (ours.length === 0) return [];
  const lines = [...ours.map(declare), ...oldJumps(names, family, actual), ...ours.map(name => `-X ${name}`)];
  return [restore('filter', family, lines)];
}

const standing = (names: readonly string[], family: Family, actual: Chains): string[] =>
  names.filter(name => actual.has(`${tableKey('filter', family)} ${name}`));

/** Deletes the jumps to these chains, in the words in which iptables printed them. */
const oldJumps = (names: readonly string[], family: Family, actual: Chains): string[] =>
  DISPATCH.flatMap(({ name: dispatch }) =>
    (actual.get(`${tableKey('filter', family)} ${dispatch}`) ?? [])
      .filter(({ text }) => names.includes(targetOf(text) ?? ''))
      .map(({ text }) => `-D ${dispatch} ${text}`),
  );
