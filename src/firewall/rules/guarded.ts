/** What the filter holds of one running domain: entries of sets, and rules. The backends differ in its words only. */

import { format, formatLong } from '../../model/address.ts';
import { FAMILIES, type Prefix } from '../../model/prefix.ts';
import type { View } from '../../model/view.ts';
import type { Resource } from '../../resources/resource.ts';
import type { Firewall } from './backend.ts';
import { isolation, setEntries } from './entries.ts';
import type { Guarded } from './policy-chains.ts';
import { countingSets, setNames } from './sets.ts';

/**
 * Lets a domain's scopes out to the Internet in the host's name, its public addresses through and counts them, and
 * heeds its rules. Without any, resources make sure there are none.
 */
export function domainFilter(guarded: Guarded, firewall: Firewall): Resource[] {
  const { entries } = firewall;
  const ranges = [...guarded.addresses, ...guarded.scopes];
  const entry = (prefix: Prefix, sets: readonly string[]): Resource =>
    setEntries(`filter for ${format(prefix)}`, sets, [prefix], entries);
  return [
    ...guarded.scopes.map(scope => entry(scope, [setNames(scope.family).scopes])),
    ...guarded.addresses.map(one => entry(one, countingSets(one.family))),
    ...FAMILIES.filter(family => ranges.some(one => one.family === family)).flatMap(family => [
      isolation(guarded.domain, family, ranges, guarded.policy.isolate, entries),
      firewall.policy(guarded, family),
    ]),
  ];
}

/** Which sets and maps may hold a prefix because of its domain's rules. */
const ruledSets = ({ family }: Prefix, firewall: Firewall): string[] => {
  const { tracked, isolated } = setNames(family);
  return [tracked, isolated, ...firewall.ruledMaps(family)];
};

/** The entries that stand in a domain's rules for some of its prefixes, a set and a prefix each. */
export const ruleEntries = (
  prefixes: readonly Prefix[],
  { filter }: View,
  firewall: Firewall,
): { readonly set: string; readonly prefix: Prefix }[] =>
  prefixes.flatMap(prefix =>
    ruledSets(prefix, firewall)
      .filter(name => {
        const contents = filter.sets.get(name);
        return contents !== undefined && contents !== 'unread' && contents.has(formatLong(prefix));
      })
      .map(set => ({ set, prefix })),
  );
