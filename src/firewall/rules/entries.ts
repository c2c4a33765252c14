/** Resources that are entries of sets: the same for both backends but for the words. */

import { formatLong, parsePrefix, parseSubnet } from '../../model/address.ts';
import type { Config } from '../../model/config.ts';
import { type Family, isSingle, type Prefix, subtract } from '../../model/prefix.ts';
import type { Uplink } from '../../model/uplink.ts';
import type { View } from '../../model/view.ts';
import { ABSENT, changed, type Finding, PRESENT, type Resource } from '../../resources/resource.ts';
import { labelled, type SetEntries } from './rules.ts';
import { rangesOf, setNames } from './sets.ts';

/**
 * Prefixes of a running domain in some sets. What a set holds isn't added again, for it would count from zero then; sets
 * are left unread only where a run begins.
 */
export function setEntries(
  label: string,
  sets: readonly string[],
  prefixes: readonly Prefix[],
  words: SetEntries,
): Resource {
  const all = sets.flatMap(name => prefixes.map(prefix => ({ name, prefix })));
  const missing = (view: View) => all.filter(({ name, prefix }) => !holdsAll(view, name, [prefix]));
  return {
    key: `entries ${sets.join(' ')} ${prefixes.map(formatLong).join(' ')}`,
    label,
    probe: view => (missing(view).length === 0 ? PRESENT : ABSENT),
    up: view => missing(view).map(({ name, prefix }) => words.add(name, prefix)),
    down: () => all.map(({ name, prefix }) => words.remove(name, prefix)),
  };
}

function holdsAll({ filter }: View, name: string, prefixes: readonly Prefix[]): boolean {
  const contents = filter.sets.get(name);
  return (
    contents !== undefined &&
    contents !== 'unread' &&
    prefixes.every(prefix => contents.has(formatLong(prefix)))
  );
}

/** Whether a domain keeps apart from the others of this host. Not being isolated has to be seen to as well. */
export function isolation(
  domain: string,
  family: Family,
  prefixes: readonly Prefix[],
  isolate: boolean,
  words: SetEntries,
): Resource {
  const name = setNames(family).isolated;
  const mine = prefixes.filter(prefix => prefix.family === family);
  return {
    // One key for on and off: a change from one to the other is a change, not an end.
    key: `isolation ${family} ${domain}`,
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

/**
 * What the configuration gives to domains: pools and scopes. In a set that wasn't read they are taken to be
 * there: the chains that name the set came after them.
 */
export function staticEntries(family: Family, config: Config, uplink: Uplink, words: SetEntries): Resource[] {
  const names = setNames(family);
  const ranges = rangesOf(family, config);
  const others = uplink.gateway6 === undefined ? [] : [uplink.gateway6];
  const ours = (view: View): Prefix[] =>
    [...onLink(view, uplink.device), ...others].reduce(
      (left, subnet) => left.flatMap(one => subtract(one, subnet)),
      ranges,
    );
  return [exactly(names.near, () => ranges, words), exactly(names.ours, ours, words)];
}

/**
 * The IPv4 subnets on the uplink's own link: others have addresses there, and may use them. Of an IPv6 pool nobody else
 * has any, though the uplink's subnet is the whole of it: what isn't a domain's ends here (POOL_METRIC in names.ts).
 */
const onLink = ({ addresses }: View, device: string): Prefix[] =>
  (addresses.get(device) ?? []).map(parseSubnet).filter(subnet => subnet.family === 4 && !isSingle(subnet));

function exactly(name: string, wanted: (view: View) => Prefix[], words: SetEntries): Resource {
  const surplus = (view: View): string[] => {
    const contents = view.filter.sets.get(name);
    const keep = new Set(wanted(view).map(formatLong));
    return contents === undefined || contents === 'unread'
      ? []
      : [...contents.keys()].filter(entry => !keep.has(entry));
  };
  return {
    key: `ranges ${name}`,
    label: `pools and scopes in ${name}`,
    probe: (view): Finding => {
      const contents = view.filter.sets.get(name);
      if (contents === 'unread') return PRESENT;
      if (contents === undefined || !holdsAll(view, name, wanted(view))) return ABSENT;
      return surplus(view).length === 0 ? PRESENT : changed(`it also holds ${surplus(view).join(', ')}`);
    },
    up: view => [
      ...surplus(view).map(entry => words.remove(name, parsePrefix(entry))),
      ...wanted(view).map(prefix => words.add(name, prefix)),
    ],
    down: () => [],
  };
}
