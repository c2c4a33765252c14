/** The rules of single domains in nftables. */

import { formatLong } from '../../model/address.ts';
import type { Family } from '../../model/prefix.ts';
import type { FilterView } from '../../model/view.ts';
import { type Action, nft } from '../../resources/action.ts';
import { ABSENT, changed, type Finding, overall, PRESENT, type Resource } from '../../resources/resource.ts';
import type { Guarded } from '../rules/backend.ts';
import { type DomainRules, domainRules } from '../rules/policy-chains.ts';
import { type Chain, labelled } from '../rules/rules.ts';
import { DISPATCH, SETTLING, setNames } from '../rules/sets.ts';
import { fill, markOf, probeChain, type Written, written } from './chain.ts';
import { addFor, entries, leadTo, mapOf } from './sets.ts';
import { chainKey, tableOf } from './text.ts';

/** The rules of one domain: its chains, and the entries of the verdict maps that lead to them from its addresses. */
export function policy(
  { domain, addresses, scopes, policy: wanted, underway }: Guarded,
  family: Family,
): Resource {
  const rules = domainRules(domain, [...addresses, ...scopes], wanted, family);
  return {
    key: `policy ${family} ${domain}`,
    label: labelled('rules of the domain', family),
    probe: ({ filter }) => probe(rules, filter),
    up: ({ filter }) =>
      rules.chains.length === 0
        ? removal(rules, filter)
        : [
            ...(underway ? rules.prefixes.map(one => addFor(setNames(family).settling, one, SETTLING)) : []),
            ...install(rules),
          ],
    down: ({ filter }) => removal(rules, filter),
  };
}

/** A chain in which every rule counts, so that the operator sees how often it matched. */
function counted(chain: Chain, family: Family): Written {
  const { name, lines } = written(chain, family);
  return {
    name,
    lines: lines.map(line =>
      /\bcounter\b/.test(line) ? line : line.replace(/(accept|return)/, 'counter $1'),
    ),
  };
}

function probe(
  { chains, names, prefixes, family }: DomainRules,
  { chains: actual, sets }: FilterView,
): Finding {
  const exists = Object.values(names).some(name => actual.has(chainKey(name, family)));
  if (chains.length === 0) return exists ? changed('it has rules that nobody gave it') : PRESENT;
  if (!exists) return ABSENT;
  const all = chains.map(chain => counted(chain, family));
  const mark = markOf(all);
  const isReached = (name: string): Finding => {
    const contents = sets.get(name);
    if (contents === undefined) return ABSENT;
    return contents === 'unread' || prefixes.every(prefix => contents.has(formatLong(prefix)))
      ? PRESENT
      : changed('its addresses lead elsewhere');
  };
  return overall([
    ...all.map(chain => probeChain(chain, mark, family, actual)),
    ...mapsTo(family).map(isReached),
    isReached(setNames(family).tracked),
  ]);
}

const mapsTo = (family: Family): string[] => DISPATCH.map(({ name }) => mapOf(family, name));

function install({ chains, names, prefixes, family }: DomainRules): Action[] {
  const table = tableOf(family);
  const all = chains.map(chain => counted(chain, family));
  const mark = markOf(all);
  return [
    ...all.flatMap(({ name }) => [nft('add', 'chain', table, name), nft('flush', 'chain', table, name)]),
    ...all.flatMap(chain => fill(chain, mark, family)),
    ...DISPATCH.flatMap(({ name, to }) =>
      prefixes.map(prefix => leadTo(mapOf(family, name), prefix, names[to])),
    ),
    ...prefixes.map(prefix => entries.add(setNames(family).tracked, prefix)),
  ];
}

function removal({ prefixes, names, family }: DomainRules, { chains }: FilterView): Action[] {
  const deletions = deletion(Object.values(names), family, chains);
  if (deletions.length === 0) return [];
  const holders = [setNames(family).tracked, ...mapsTo(family)];
  return [...prefixes.flatMap(prefix => holders.map(name => entries.remove(name, prefix))), ...deletions];
}

/** Deletes those of these chains that exist. No entry of a map may lead to them any more. */
export function deletion(names: readonly string[], family: Family, actual: FilterView['chains']): Action[] {
  const ours = names.filter(name => actual.has(chainKey(name, family)));
  return ['flush', 'delete'].flatMap(verb => ours.map(name => nft(verb, 'chain', tableOf(family), name)));
}
