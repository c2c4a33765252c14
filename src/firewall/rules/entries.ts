/** The entries of sets that configuration and host decide. */
import { formatLong, parsePrefix, parseSubnet } from '../../model/address.ts';
import { type Config, rangesOf } from '../../model/config.ts';
import { insideNets, outermost, without } from '../../model/inside.ts';
import { type Family, isSingle, overlaps, type Prefix, subtract } from '../../model/prefix.ts';
import { RESERVED } from '../../model/reserved.ts';
import type { Uplinks } from '../../model/uplink.ts';
import type { Contents, View } from '../../model/view.ts';
import { ABSENT, changed, PRESENT, type Resource } from '../../resources/resource.ts';
import { guardedUplinks, guardOf } from './guarded-uplinks.ts';
import { type SetEntries, setNames } from './sets.ts';

/** Fills the sets `near`, `kept`, `inside`, `ours` and `reserved` of a family. */
export function staticEntries(
  family: Family,
  config: Config,
  uplinks: Uplinks,
  words: SetEntries,
): Resource[] {
  const names = setNames(family);
  const ranges = rangesOf(family, config);
  const ours = (view: View): Prefix[] =>
    onLink(view, uplinks).reduce((left, subnet) => left.flatMap(one => subtract(one, subnet)), ranges);
  const reserved = (view: View): Prefix[] => keptInside(family, config, view, uplinks);
  const inside = (view: View): Prefix[] => without(insideNets(family, uplinks, view), ranges);
  const scopes = config.dhcp.scopes.filter(scope => scope.family === family);
  const { isEverywhere } = guardOf(family, config, uplinks, []);
  const unrouted = (view: View): Prefix[] => (isEverywhere ? reserved(view) : []);
  const kept = (view: View): Prefix[] => outermost([...scopes, ...inside(view), ...unrouted(view)]);
  const near = (view: View): Prefix[] =>
    outermost([...ranges, ...inside(view), ...words.roughly(unrouted(view))]);
  return [
    exactly(names.near, 'networks', near, words),
    exactly(names.kept, 'tracked destinations', kept, words),
    exactly(names.inside, 'networks', inside, words),
    exactly(names.ours, 'pools and scopes', ours, words),
    exactly(names.reserved, 'private destinations', reserved, words),
  ];
}

/** A range in which an uplink itself is, or a pool, is no private one here: a lab, or a network at home. */
function keptInside(family: Family, config: Config, { addresses }: View, uplinks: Uplinks): Prefix[] {
  if (guardedUplinks(config, uplinks).length === 0) return [];
  const subnets = uplinks.flatMap(({ device }) => addresses.get(device) ?? []).map(parseSubnet);
  const inUse = [...config.pools, ...subnets];
  return RESERVED[family].filter(range => !inUse.some(one => overlaps(range, one)));
}

/**
 * What others on an uplink's link may use as sources: its IPv4 subnets, and the IPv6 gateway. Not its IPv6 subnet: that may
 * be the pool, in which nobody else has addresses (POOL_METRIC in names.ts).
 */
const onLink = ({ addresses }: View, uplinks: Uplinks): Prefix[] =>
  uplinks.flatMap(({ device, gateway6 }) => {
    const subnets = (addresses.get(device) ?? []).map(parseSubnet);
    const shared = subnets.filter(subnet => subnet.family === 4 && !isSingle(subnet));
    return gateway6 === undefined ? shared : [...shared, gateway6];
  });

/** A set that holds these prefixes and no others. */
function exactly(name: string, what: string, wanted: (view: View) => Prefix[], words: SetEntries): Resource {
  return {
    key: `ranges ${name}`,
    label: `${what} in ${name}`,
    probe: view => {
      const { surplus, complete } = compare(view.filter.sets.get(name), wanted(view));
      if (!complete) return ABSENT;
      return surplus.length === 0 ? PRESENT : changed(`it also holds ${surplus.join(', ')}`);
    },
    up: view => {
      const { surplus } = compare(view.filter.sets.get(name), wanted(view));
      const removals = surplus.map(entry => words.remove(name, parsePrefix(entry)));
      return [...removals, ...wanted(view).map(prefix => words.add(name, prefix))];
    },
    down: () => [],
  };
}

function compare(contents: Contents | undefined, wanted: readonly Prefix[]) {
  // If the set wasn't read, assume that its entries exist: `up` fills it before it makes the chains that name it.
  if (contents === 'unread') return { surplus: [], complete: true };
  const keep = wanted.map(formatLong);
  return {
    surplus: [...(contents?.keys() ?? [])].filter(entry => !keep.includes(entry)),
    complete: contents !== undefined && keep.every(entry => contents.has(entry)),
  };
}
