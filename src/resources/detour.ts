/**
 * Rules that lead packets of domains out of the uplink of their source. Of a further uplink the main table knows nothing. On
 * the main one they are made only where something leads the host's own packets elsewhere: a VPN that takes everything, or a
 * second default route that is better; for any rule costs each packet a little.
 */
import { format, formatLong } from '../model/address.ts';
import { type Config, rangesOf } from '../model/config.ts';
import { insideNets, scopesApart } from '../model/inside.ts';
import { ROUTE_PROTOCOL, RULE_PREFERENCE, tableOfWay } from '../model/names.ts';
import { equal, type Family, type Prefix } from '../model/prefix.ts';
import { gatewayIn, type Uplink, type Uplinks } from '../model/uplink.ts';
import type { Hop, Policy, Route, RoutingRule, View } from '../model/view.ts';
import { type Action, run } from './action.ts';
import { ABSENT, changed, type Finding, PRESENT, type Resource } from './resource.ts';

/** The rules of the kernel: local addresses before everything, then the main table. */
const MAIN_PREFERENCE = 32766;
/** Our rules have so many preferences. */
const STEPS = 3;

type Line = Pick<RoutingRule, 'preference' | 'words'>;

/** A way to the Internet that has to be led to: the ranges whose packets leave by it, and its next hops. */
interface Detour {
  readonly way: number;
  readonly ranges: readonly Prefix[];
  readonly hops: readonly Hop[];
}

type Seen = Pick<View, 'policy' | 'links' | 'addresses' | 'configured'>;

/** What stands for one family, and what should. */
interface Comparison {
  readonly rules: readonly RoutingRule[];
  readonly routes: Policy['own'];
  readonly missing: readonly Line[];
  readonly surplus: readonly Line[];
  readonly misled: readonly Detour[];
  readonly idle: Policy['own'];
  readonly isNeeded: boolean;
}

/**
 * The rules of one family. `to` is what the reverse-path check reads, and what leads from one domain to another. A packet of
 * the main uplink takes its route from the main table where that has one for its destination, but not the default route, nor
 * a half of it. One of a further uplink does so only towards networks on the host's other interfaces: the main table may
 * hold the Internet's routes, by the main uplink.
 */
export function uplinkRules(family: Family, config: Config, uplinks: Uplinks): Resource {
  const compared = (view: Seen): Comparison | undefined => compare(family, config, uplinks, view);
  return {
    key: `rules ${family}`,
    isRouting: true,
    affects: () => ({ families: [family] }),
    label: `rules that keep IPv${family} on ${[...new Set(uplinks.map(({ device }) => device))].join(', ')}`,
    probe: view => {
      const found = compared(view);
      return found === undefined ? PRESENT : probe(found);
    },
    up: view => {
      const found = compared(view);
      return found === undefined ? [] : [...put(family, found.misled), ...change(family, found)];
    },
    down: ({ policy }) => {
      const { rules, routes } = standing(family, policy ?? NOTHING);
      return change(family, { missing: [], surplus: rules, idle: routes });
    },
  };
}

function compare(family: Family, config: Config, uplinks: Uplinks, view: Seen): Comparison | undefined {
  const { policy } = view;
  const [main] = uplinks;
  // A start doesn't look at the rules.
  if (policy === undefined || (main.bypassed === undefined && uplinks.every(({ way }) => way === main.way)))
    return undefined;
  const { rules, routes } = standing(family, policy);
  const inside = insideNets(family, uplinks, view);
  const apart = family === 4 ? scopesApart(rangesOf(family, config), view) : [];
  const all = [...rangesOf(family, config), ...apart];
  const detours = detoursOf(family, [...config.dhcp.scopes, ...apart], uplinks, view);
  const wanted = detours.length === 0 ? [] : linesAt(placeIn(family, policy), all, detours, inside);
  const leads = ({ way, hops }: Detour): boolean =>
    routes.some(({ table, route }) => table === tableOfWay(way) && isBy(route, hops));
  return {
    rules,
    routes,
    missing: wanted.filter(line => !rules.some(rule => isSame(rule, line))),
    surplus: rules.filter(rule => !wanted.some(line => isSame(rule, line))),
    misled: detours.filter(one => one.hops.length > 0 && !leads(one)),
    idle: routes.filter(
      ({ table }) => !detours.some(one => tableOfWay(one.way) === table && one.hops.length > 0),
    ),
    isNeeded: detours.length > 0,
  };
}

/** @param scopes whose packets leave by the main uplink, translated to its address */
function detoursOf(family: Family, scopes: readonly Prefix[], uplinks: Uplinks, view: Seen): Detour[] {
  const inFamily = (ranges: readonly Prefix[]) => ranges.filter(range => range.family === family);
  return [...new Set(uplinks.map(({ way }) => way))].flatMap(way => {
    // Nothing can be led to an interface that isn't there.
    const own = uplinks.filter(one => one.way === way && view.links.has(one.device));
    const [first] = own;
    if (first === undefined || !isNeeded(family, first, view)) return [];
    const ranges = inFamily(way === 0 ? [...first.pools, ...scopes] : first.pools);
    return ranges.length === 0 ? [] : [{ way, ranges, hops: hopsOf(family, own) }];
  });
}

/** Where nobody looked whether the main uplink needs rules, those that stand say so. */
const isNeeded = (family: Family, { way, bypassed }: Uplink, { policy = NOTHING }: Seen): boolean =>
  bypassed === undefined
    ? standing(family, policy).routes.some(({ table }) => table === tableOfWay(way))
    : bypassed.includes(family);

/** A further uplink may be a tunnel, which has no gateway; without one on the main uplink nobody knows where it leads. */
const hopsOf = (family: Family, uplinks: readonly Uplink[]): Hop[] =>
  uplinks.flatMap(uplink => {
    const gateway = gatewayIn(family, uplink);
    return gateway === undefined && uplink.way === 0 ? [] : [{ dev: uplink.device, gateway }];
  });

const isBy = ({ dev, gateway, hops = [{ dev, gateway }] }: Route, wanted: readonly Hop[]): boolean =>
  hops.length === wanted.length &&
  wanted.every(one => hops.some(hop => hop.dev === one.dev && isSameHop(hop.gateway, one.gateway)));

const isSameHop = (a: Prefix | undefined, b: Prefix | undefined): boolean =>
  a === undefined || b === undefined ? a === b : equal(a, b);

const NOTHING: Policy = { rules: [], own: [] };

const standing = (family: Family, { rules, own }: Policy) => ({
  rules: rules.filter(rule => rule.isOurs && rule.family === family),
  routes: own.filter(({ route }) => route.prefix.family === family),
});

const isForeign =
  (family: Family) =>
  (rule: RoutingRule): boolean =>
    rule.family === family && !rule.isOurs && rule.preference > 0 && rule.preference < MAIN_PREFERENCE;

/**
 * The first of our preferences: below every rule of others, but not 0. A rule without a preference takes the one before the
 * second rule of all, so that wg-quick's come to stand before ours: then ours move, and where they are right they stay.
 */
function placeIn(family: Family, policy: Policy): number {
  const lowest = Math.min(
    MAIN_PREFERENCE,
    ...policy.rules.filter(isForeign(family)).map(({ preference }) => preference),
  );
  const first = Math.min(...standing(family, policy).rules.map(({ preference }) => preference));
  const limit = lowest - STEPS;
  return first <= Math.min(limit, RULE_PREFERENCE) ? first : Math.max(1, Math.min(RULE_PREFERENCE, limit));
}

function linesAt(
  first: number,
  all: readonly Prefix[],
  detours: readonly Detour[],
  inside: readonly Prefix[],
): Line[] {
  const lines = (step: number, ranges: readonly Prefix[], words: (range: string) => string[]): Line[] =>
    ranges.flatMap(range => words(format(range)).map(text => ({ preference: first + step, words: text })));
  return [
    ...lines(0, all, range => [`to ${range} lookup main`]),
    ...detours.flatMap(({ way, ranges, hops }) =>
      hops.length === 0
        ? []
        : [
            ...lines(1, ranges, range =>
              way === 0
                ? // `wg-quick down` deletes all rules that suppress 0, whosever they are.
                  [`from ${range} lookup main suppress_prefixlength 1`]
                : inside.map(net => `from ${range} to ${format(net)} lookup main`),
            ),
            ...lines(2, ranges, range => [`from ${range} lookup ${tableOfWay(way)}`]),
          ],
    ),
  ];
}

function probe({ rules, routes, missing, surplus, misled, idle, isNeeded: needed }: Comparison): Finding {
  const count = rules.length + routes.length;
  if (!needed) return count === 0 ? PRESENT : changed('nothing leads elsewhere any more');
  if (count === 0) return ABSENT;
  const isWhole = [missing, surplus, misled, idle].every(({ length }) => length === 0);
  return isWhole ? PRESENT : changed('they are not all there, or not before the rules of others');
}

const isSame = (a: Line, b: Line): boolean => a.preference === b.preference && a.words === b.words;

/** The new ones come before the old ones go: at no time a packet passes without one of them. */
function change(
  family: Family,
  { missing, surplus, idle }: Pick<Comparison, 'missing' | 'surplus' | 'idle'>,
): Action[] {
  const line =
    (verb: string) =>
    ({ preference, words }: Line) =>
      `rule ${verb} preference ${preference} ${words} protocol ${ROUTE_PROTOCOL}`;
  return batch(family, [
    ...missing.map(line('add')),
    ...surplus.map(line('delete')),
    ...idle.map(({ table, route }) => `route delete ${formatLong(route.prefix)} ${ownWords(table)}`),
  ]);
}

/** The provider's gateway may lie in no subnet of the host. */
const put = (family: Family, detours: readonly Detour[]): Action[] =>
  batch(
    family,
    detours.map(({ way, hops }) => {
      const words = hops.map(
        ({ dev, gateway }) => `${gateway === undefined ? '' : `via ${format(gateway)} `}dev ${dev}`,
      );
      const [only = ''] = words;
      const path =
        words.length === 1
          ? `${only}${hops[0]?.gateway === undefined ? '' : ' onlink'}`
          : words.map(one => `nexthop ${one} onlink`).join(' ');
      return `route replace ${EVERYTHING[family]} ${ownWords(tableOfWay(way))} ${path}`;
    }),
  );

const batch = (family: Family, lines: readonly string[]): Action[] =>
  lines.length === 0
    ? []
    : [run(['ip', `-${family}`, '-batch', '-'], lines.map(line => `${line}\n`).join(''))];

const ownWords = (table: number): string => `table ${table} proto ${ROUTE_PROTOCOL}`;
const EVERYTHING: Readonly<Record<Family, string>> = { 4: '0.0.0.0/0', 6: '::/0' };
