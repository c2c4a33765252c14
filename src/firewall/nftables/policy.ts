/** The rules of single domains in nftables: their chains, and the entries of verdict maps that lead to them. */
import { formatLong } from '../../model/address.ts';
import type { Family } from '../../model/prefix.ts';
import type { FilterView } from '../../model/view.ts';
import { type Action, nft } from '../../resources/action.ts';
import { ABSENT, changed, type Finding, overall, PRESENT } from '../../resources/resource.ts';
import type { DomainRules } from '../rules/backend.ts';
import { markOf, probeChain } from '../rules/fingerprint.ts';
import type { Chain, Written } from '../rules/rules.ts';
import { DISPATCH, SETTLING, setNames } from '../rules/sets.ts';
import { addFor, entries, leadTo, mapOf } from './sets.ts';
import { chainKey, deletion, fill, tableOf, written } from './text.ts';

/** A chain in which every rule counts, so that the operator sees how often it matched. */
function counted(chain: Chain, family: Family): Written {
  const { name, lines } = written(chain, family);
  const count = (line: string): string =>
    /\bcounter\b/.test(line) ? line : line.replace('return', 'counter return');
  return { name, lines: lines.map(count) };
}

export function probeRules({ chains, prefixes, family }: DomainRules, filter: FilterView): Finding {
  const all = chains.map(chain => counted(chain, family));
  const mark = markOf(JSON.stringify(all));
  const isReached = (name: string): Finding => {
    const contents = filter.sets.get(name);
    if (contents === undefined) return ABSENT;
    return contents === 'unread' || prefixes.every(prefix => contents.has(formatLong(prefix)))
      ? PRESENT
      : changed('its addresses lead elsewhere');
  };
  return overall([
    ...all.map(chain => probeChain(chain, mark, filter.chains.get(chainKey(chain.name, family)))),
    ...mapsTo(family).map(isReached),
    isReached(setNames(family).tracked),
  ]);
}

const mapsTo = (family: Family): string[] => DISPATCH.map(({ name }) => mapOf(family, name));

export function installRules({ chains, names, prefixes, family }: DomainRules, settling: boolean): Action[] {
  const table = tableOf(family);
  const all = chains.map(chain => counted(chain, family));
  const mark = markOf(JSON.stringify(all));
  const sets = setNames(family);
  return [
    ...(settling ? prefixes.map(one => addFor(sets.settling, one, SETTLING)) : []),
    ...all.flatMap(({ name }) => [nft('add', 'chain', table, name), nft('flush', 'chain', table, name)]),
    ...all.flatMap(chain => fill(chain, mark, family)),
    ...DISPATCH.flatMap(({ name, to }) =>
      prefixes.map(prefix => leadTo(mapOf(family, name), prefix, names[to])),
    ),
    ...prefixes.map(prefix => entries.add(sets.tracked, prefix)),
  ];
}

export function removeRules({ prefixes, names, family }: DomainRules, { chains }: FilterView): Action[] {
  const deletions = deletion(Object.values(names), family, chains);
  if (deletions.length === 0) return [];
  const holders = [setNames(family).tracked, ...mapsTo(family)];
  return [...prefixes.flatMap(prefix => holders.map(name => entries.remove(name, prefix))), ...deletions];
}
