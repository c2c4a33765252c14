/** What the filter holds of one running domain: entries of sets, and rules. */
import { format, formatLong } from '../../model/address.ts';
import { isTracked, type Policy } from '../../model/policy.ts';
import { FAMILIES, type Family, type Prefix } from '../../model/prefix.ts';
import type { FilterView, View } from '../../model/view.ts';
import { ABSENT, changed, PRESENT, type Resource } from '../../resources/resource.ts';
import type { DomainRules, Firewall } from './backend.ts';
import { policyChainNames, policyChains } from './policy-chains.ts';
import { labelled } from './rules.ts';
import { countingSets, type SetEntries, setNames } from './sets.ts';

/** A running domain as the filter sees it. */
export interface Guarded {
  readonly domain: string;
  readonly addresses: readonly Prefix[];
  readonly scopes: readonly Prefix[];
  readonly policy: Policy;
  /** The domain runs and gets its first rules: its open flows have not been tracked so far. */
  readonly underway: boolean;
}

/**
 * Lets a domain's scopes out to the Internet, translated to the host's address; lets its public addresses through and counts
 * them; applies its rules and its isolation. Without rules or isolation, the resources make sure that none are left.
 */
export function domainFilter(guarded: Guarded, firewall: Firewall): Resource[] {
  const { addresses, scopes } = guarded;
  const { entries } = firewall;
  return [
    ...scopes.map(scope => setEntries(scope, [setNames(scope.family).scopes], entries)),
    ...addresses.map(one => setEntries(one, countingSets(one.family), entries)),
    ...FAMILIES.filter(family => prefixesOf(guarded, family).length > 0).flatMap(family => [
      isolation(guarded, family, entries),
      ownRules(guarded, family, firewall),
    ]),
  ];
}

/**
 * A prefix of the domain in some sets. An existing entry isn't added again, because that would reset its counters. A start
 * doesn't read the sets, and adds all entries: the domain's counters begin then.
 */
function setEntries(prefix: Prefix, sets: readonly string[], words: SetEntries): Resource {
  const missing = ({ filter }: View): string[] => sets.filter(name => !holds(filter, name, prefix));
  return {
    key: `entries ${sets.join(' ')} ${formatLong(prefix)}`,
    label: `filter for ${format(prefix)}`,
    probe: view => (missing(view).length === 0 ? PRESENT : ABSENT),
    up: view => missing(view).map(name => words.add(name, prefix)),
    down: () => sets.map(name => words.remove(name, prefix)),
  };
}

/**
 * Whether a domain exchanges packets with other domains of this host. Also removes the entries when isolation is off. The
 * key is the same for on and off, so that switching is a change of this resource and not its end.
 */
function isolation(guarded: Guarded, family: Family, words: SetEntries): Resource {
  const { isolate } = guarded.policy;
  const name = setNames(family).isolated;
  const mine = prefixesOf(guarded, family);
  return {
    key: `isolation ${family} ${guarded.domain}`,
    label: labelled('isolation', family),
    probe: ({ filter }) => {
      const contents = filter.sets.get(name);
      if (contents === undefined || contents === 'unread') return isolate ? ABSENT : PRESENT;
      if (mine.every(prefix => contents.has(formatLong(prefix)) === isolate)) return PRESENT;
      return isolate ? ABSENT : changed('it is isolated, which nobody asked for');
    },
    up: () => mine.map(prefix => (isolate ? words.add(name, prefix) : words.remove(name, prefix))),
    down: () => (isolate ? mine.map(prefix => words.remove(name, prefix)) : []),
  };
}

/** A domain's own rules of one family. Where it needs no tracking, this removes any that exist. */
function ownRules(guarded: Guarded, family: Family, firewall: Firewall): Resource {
  const { domain, policy } = guarded;
  const names = policyChainNames(domain);
  const isWanted = isTracked(policy);
  const rules: DomainRules = {
    family,
    names,
    prefixes: prefixesOf(guarded, family),
    chains: isWanted ? policyChains(domain, policy, family) : [],
  };
  const exist = ({ chains }: FilterView): boolean =>
    Object.values(names).some(name => chains.has(firewall.chainKey('filter', name, family)));
  return {
    key: `policy ${family} ${domain}`,
    label: labelled('rules of the domain', family),
    probe: ({ filter }) => {
      if (!isWanted) return exist(filter) ? changed('it has rules that nobody gave it') : PRESENT;
      return exist(filter) ? firewall.probeRules(rules, filter) : ABSENT;
    },
    up: ({ filter }) =>
      isWanted ? firewall.installRules(rules, guarded.underway, filter) : firewall.removeRules(rules, filter),
    down: ({ filter }) => firewall.removeRules(rules, filter),
  };
}

const prefixesOf = ({ addresses, scopes }: Guarded, family: Family): Prefix[] =>
  [...addresses, ...scopes].filter(one => one.family === family);

/** The sets and maps that may hold a prefix because of its domain's rules. */
const ruledSets = ({ family }: Prefix, firewall: Firewall): string[] => {
  const { tracked, isolated } = setNames(family);
  return [tracked, isolated, ...firewall.ruledMaps(family)];
};

/** The entries that some prefixes of a domain have because of its rules. */
export const ruleEntries = (
  prefixes: readonly Prefix[],
  { filter }: View,
  firewall: Firewall,
): { readonly set: string; readonly prefix: Prefix }[] =>
  prefixes.flatMap(prefix =>
    ruledSets(prefix, firewall)
      .filter(set => holds(filter, set, prefix))
      .map(set => ({ set, prefix })),
  );

function holds({ sets }: FilterView, name: string, prefix: Prefix): boolean {
  const contents = sets.get(name);
  return contents !== undefined && contents !== 'unread' && contents.has(formatLong(prefix));
}
