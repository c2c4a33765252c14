/** What the filter holds of one running domain: entries of sets, and rules. */
import { format, formatLong } from '../../model/address.ts';
import { isTracked, type Policy } from '../../model/policy.ts';
import { FAMILIES, type Family, isAmong, type Prefix } from '../../model/prefix.ts';
import type { FilterView, View } from '../../model/view.ts';
import { ABSENT, changed, PRESENT, type Resource } from '../../resources/resource.ts';
import type { DomainRules, Firewall } from './backend.ts';
import { policyChainNames, policyChains } from './policy-chains.ts';
import { labelled } from './rules.ts';
import { countingSets, lookCloser, type SetEntries, setNames } from './sets.ts';

/** A running domain as the filter sees it. */
interface Guarded {
  readonly domain: string;
  readonly addresses: readonly Prefix[];
  /** Those of them for whose every address the host would look on the bridge. */
  readonly subnets: readonly Prefix[];
  readonly scopes: readonly Prefix[];
  readonly policy: Policy;
  /** The domain runs and gets its first rules: its open flows have not been tracked so far. */
  readonly underway: boolean;
}

/**
 * Lets a domain's scopes out to the Internet, translated to the host's address; lets its public addresses through and
 * counts them; applies its rules and its isolation, or makes sure that none are left.
 */
export function domainFilter(guarded: Guarded, firewall: Firewall): Resource[] {
  const { addresses, subnets, scopes } = guarded;
  const { entries } = firewall;
  return [
    ...scopes.map(scope => setEntries(scope, [setNames(scope.family).scopes], entries)),
    ...addresses.map(one => setEntries(one, countingSets(one.family), entries)),
    ...subnets.map(one => limit(one, firewall)),
    ...FAMILIES.filter(family => prefixesOf(guarded, family).length > 0).flatMap(family => [
      isolation(guarded, family, entries),
      ownRules(guarded, family, firewall),
    ]),
    // After the rules: with this entry their packets begin to be looked at.
    ...(firewall.foresight === 'mangle' ? particulars(guarded, entries) : []),
  ];
}

/** A limit for packets to a subnet. */
function limit(subnet: Prefix, { entries, limitSubnets }: Firewall): Resource {
  const { family } = subnet;
  const entry = setEntries(subnet, [setNames(family).held], entries);
  return {
    ...entry,
    label: `limit for ${format(subnet)}`,
    probe: view => (limitSubnets(family, view.filter).length === 0 ? entry.probe(view) : ABSENT),
    up: view => [...entry.up(view), ...limitSubnets(family, view.filter)],
  };
}

/** The addresses whose packets are looked at more closely: see `particular` in sets.ts. */
const particulars = ({ addresses, subnets, policy }: Guarded, words: SetEntries): Resource[] =>
  addresses
    .filter(one => isTracked(policy) || isAmong(subnets, one))
    .map(one => {
      const name = setNames(one.family).particular;
      const entry = setEntries(one, [name], words);
      return {
        ...entry,
        label: `closer look at ${format(one)}`,
        up: view => (entry.probe(view) === PRESENT ? [] : lookCloser(one, words)),
      };
    });

/**
 * A prefix of the domain in some sets. Adding an existing entry would reset its counters, so only missing ones are added. A
 * start doesn't read the sets and adds all: the domain's counters begin then.
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
 * Whether a domain exchanges packets with other domains of this host. The key is the same for on and off, so that switching
 * is a change of this resource and not its end.
 */
function isolation(guarded: Guarded, family: Family, words: SetEntries): Resource {
  const { isolate } = guarded.policy;
  const name = setNames(family).isolated;
  const mine = prefixesOf(guarded, family);
  return {
    key: `isolation ${family} ${guarded.domain}`,
    label: labelled('isolation', family),
    probe: ({ filter }) => {
      if (mine.every(prefix => holds(filter, name, prefix) === isolate)) return PRESENT;
      return isolate ? ABSENT : changed('it is isolated, which nobody asked for');
    },
    up: () => mine.map(prefix => (isolate ? words.add(name, prefix) : words.remove(name, prefix))),
    down: () => (isolate ? mine.map(prefix => words.remove(name, prefix)) : []),
  };
}

/** A domain's own rules of one family. Where it needs no tracking, this removes any that exist. */
function ownRules(guarded: Guarded, family: Family, firewall: Firewall): Resource {
  const { domain, policy, underway } = guarded;
  const names = policyChainNames(domain);
  const isWanted = isTracked(policy);
  const chains = isWanted ? policyChains(domain, policy, family) : [];
  const rules: DomainRules = { family, names, prefixes: prefixesOf(guarded, family), chains };
  const exist = ({ chains }: FilterView): boolean =>
    Object.values(names).some(name => chains.has(firewall.chainKey('mangle', name, family)));
  return {
    key: `policy ${family} ${domain}`,
    label: labelled('rules of the domain', family),
    probe: ({ filter }) => {
      if (!isWanted) return exist(filter) ? changed('it has rules that nobody gave it') : PRESENT;
      return exist(filter) ? firewall.probeRules(rules, filter) : ABSENT;
    },
    up: ({ filter }) =>
      isWanted ? firewall.installRules(rules, underway, filter) : firewall.removeRules(rules, filter),
    down: ({ filter }) => firewall.removeRules(rules, filter),
  };
}

const prefixesOf = ({ addresses, scopes }: Guarded, family: Family): Prefix[] =>
  [...addresses, ...scopes].filter(one => one.family === family);

/** The entries that some prefixes of a domain have in sets and maps because of its rules. */
export function ruleEntries(prefixes: readonly Prefix[], { filter }: View, firewall: Firewall) {
  return prefixes.flatMap(prefix => {
    const { particular, tracked, isolated } = setNames(prefix.family);
    const sets = [particular, tracked, isolated, ...firewall.ruledMaps(prefix.family)];
    return sets.filter(set => holds(filter, set, prefix)).map(set => ({ set, prefix }));
  });
}

/** Whether a set is known to hold a prefix. */
function holds({ sets }: FilterView, name: string, prefix: Prefix): boolean {
  const contents = sets.get(name);
  return typeof contents === 'object' && contents.has(formatLong(prefix));
}
