/** The rules of single domains in nftables. */

import { formatLong } from '../../model/address.ts';
import type { Family, Prefix } from '../../model/prefix.ts';
import { isTracked } from '../../model/rule.ts';
import type { View } from '../../model/view.ts';
import { type Action, nft } from '../../resources/action.ts';
import { ABSENT, changed, type Finding, overall, PRESENT, type Resource } from '../../resources/resource.ts';
import type { Guarded } from '../rules/policy-chains.ts';
import { policyChainNames, policyChains } from '../rules/policy-chains.ts';
import { labelled } from '../rules/rules.ts';
import { DISPATCH, SETTLING, setNames } from '../rules/sets.ts';
import { addFor, entries, leadTo, mapOf } from './sets.ts';
import { fill, markOf, probeChain, type Written, written } from './table.ts';
import { FAMILY, tableOf } from './text.ts';

/** The rules of one domain: its chains, to which the verdict maps lead from its addresses. */
export function policy(guarded: Guarded, family: Family): Resource {
  const { domain, addresses, scopes, policy: wanted, underway } = guarded;
  const names = policyChainNames(domain);
  const prefixes = [...addresses, ...scopes].filter(one => one.family === family);
  const chains = isTracked(wanted)
    ? policyChains(domain, wanted, family).map(chain => counted(written(chain, family)))
    : [];
  const parts = { prefixes, names: Object.values(names), family };
  return {
    key: `policy ${family} ${domain}`,
    label: labelled('rules of the domain', family),
    probe: view => probePolicy(chains, names, prefixes, family, view),
    up: view =>
      chains.length === 0
        ? removal(parts, view)
        : [
            ...(underway ? prefixes.map(one => addFor(setNames(family).settling, one, SETTLING)) : []),
            ...installation(chains, names, prefixes, family),
          ],
    down: view => removal(parts, view),
  };
}

function probePolicy(
  chains: readonly Written[],
  names: ReturnType<typeof policyChainNames>,
  prefixes: readonly Prefix[],
  family: Family,
  view: View,
): Finding {
  const { filter } = view;
  const { table } = FAMILY[family];
  const standing = Object.values(names).filter(name => filter.chains.has(`${table} ${name}`));
  if (chains.length === 0)
    return standing.length === 0 ? PRESENT : changed('it has rules that nobody gave it');
  if (standing.length === 0) return ABSENT;
  const mark = markOf(chains);
  const reached = [...DISPATCH.map(({ name }) => mapOf(family, name)), setNames(family).tracked].map(
    (name): Finding => {
      const contents = filter.sets.get(name);
      if (contents === undefined) return ABSENT;
      return contents === 'unread' || prefixes.every(prefix => contents.has(formatLong(prefix)))
        ? PRESENT
        : changed('its addresses lead elsewhere');
    },
  );
  return overall([...chains.map(chain => probeChain(chain, mark, family, view)), ...reached]);
}

function installation(
  chains: readonly Written[],
  names: ReturnType<typeof policyChainNames>,
  prefixes: readonly Prefix[],
  family: Family,
): Action[] {
  const table = tableOf(family);
  const mark = markOf(chains);
  return [
    ...chains.flatMap(({ name }) => [nft('add', 'chain', table, name), nft('flush', 'chain', table, name)]),
    ...chains.flatMap(chain => fill(chain, mark, family)),
    ...DISPATCH.flatMap(({ name, to }) =>
      prefixes.map(prefix => leadTo(mapOf(family, name), prefix, names[to])),
    ),
    ...prefixes.map(prefix => entries.add(setNames(family).tracked, prefix)),
  ];
}

/** The operator sees how often each rule of a domain matched. */
const counted = ({ name, lines }: Written): Written => ({
  name,
  lines: lines.map(line => (/\bcounter\b/.test(line) ? line : line.replace(/(accept|return)/, 'counter $1'))),
});

function removal(
  { prefixes, names, family }: { prefixes: readonly Prefix[]; names: readonly string[]; family: Family },
  { filter }: View,
): Action[] {
  const standing = names.filter(name => filter.chains.has(`${FAMILY[family].table} ${name}`));
  if (standing.length === 0) return [];
  const maps = DISPATCH.map(({ name }) => mapOf(family, name));
  return [
    ...prefixes.flatMap(prefix =>
      [setNames(family).tracked, ...maps].map(name => entries.remove(name, prefix)),
    ),
    ...emptied(family, standing),
  ];
}

/** Chains to which nothing leads any more. */
export const emptied = (family: Family, names: readonly string[]): Action[] => [
  ...names.map(name => nft('flush', 'chain', tableOf(family), name)),
  ...names.map(name => nft('delete', 'chain', tableOf(family), name)),
];
