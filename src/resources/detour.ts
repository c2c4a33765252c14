/**
 * Rules that keep packets of domains on the uplink where something leads the host's own packets elsewhere: a VPN that takes
 * everything, or a second default route that is better. They are made only then, for any rule costs each packet a little.
 */
import { format, formatLong } from '../model/address.ts';
import { ROUTE_PROTOCOL, ROUTE_TABLE, RULE_PREFERENCE } from '../model/names.ts';
import { equal, type Family, type Prefix } from '../model/prefix.ts';
import { gatewayIn, type Uplink } from '../model/uplink.ts';
import type { Policy, RoutingRule } from '../model/view.ts';
import { type Action, ip, run } from './action.ts';
import { ABSENT, changed, type Finding, PRESENT, type Resource } from './resource.ts';

/** The rules of the kernel: local addresses before everything, then the main table. */
const MAIN_PREFERENCE = 32766;
/** Our rules have so many preferences. */
const STEPS = 3;

type Line = Pick<RoutingRule, 'preference' | 'words'>;

/**
 * The rules of one family, for the ranges that domains have their addresses from. `to` is what the reverse-path check reads,
 * and what leads from one domain to another. A domain's packet takes its route from the main table where that has one for
 * its destination, but not the default route, nor a half of it.
 */
export function uplinkRules(family: Family, ranges: readonly Prefix[], uplink: Uplink): Resource {
  const isNeeded = uplink.bypassed?.includes(family) === true && ranges.length > 0;
  const hop = gatewayIn(family, uplink);
  const wantedAt = (policy: Policy): Line[] =>
    isNeeded ? linesAt(placeIn(family, policy), ranges, hop !== undefined) : [];
  const isRouted = ({ table }: Policy): boolean =>
    !isNeeded ||
    hop === undefined ||
    ownRoutes(family, table).some(
      ({ dev, gateway }) => dev === uplink.device && gateway !== undefined && equal(gateway, hop),
    );
  return {
    key: `rules ${family}`,
    label: `rules that keep IPv${family} on ${uplink.device}`,
    probe: ({ policy }) =>
      policy === undefined || uplink.bypassed === undefined
        ? PRESENT
        : probe(family, policy, wantedAt(policy), isRouted(policy)),
    up: ({ policy = NOTHING }) => {
      const wanted = wantedAt(policy);
      const route = isRouted(policy) || hop === undefined ? [] : [routeBy(hop, uplink.device)];
      return [
        ...route,
        ...change(family, missing(family, policy, wanted), surplus(family, policy, wanted)),
        ...(isNeeded ? [] : removeRoutes(family, policy)),
      ];
    },
    down: ({ policy = NOTHING }) => [
      ...change(family, [], surplus(family, policy, [])),
      ...removeRoutes(family, policy),
    ],
  };
}

const NOTHING: Policy = { rules: [], table: [] };

const isForeign =
  (family: Family) =>
  (rule: RoutingRule): boolean =>
    rule.family === family && !rule.isOurs && rule.preference > 0 && rule.preference < MAIN_PREFERENCE;

/**
 * The first of our preferences: below every rule of others, but not 0. A rule without a preference takes the one before the
 * second rule of all, so that wg-quick's come to stand before ours: then ours move, and where they are right they stay.
 */
function placeIn(family: Family, { rules }: Policy): number {
  const lowest = Math.min(
    MAIN_PREFERENCE,
    ...rules.filter(isForeign(family)).map(({ preference }) => preference),
  );
  const standing = Math.min(...ownRules(family, rules).map(({ preference }) => preference));
  const limit = lowest - STEPS;
  return standing <= Math.min(limit, RULE_PREFERENCE)
    ? standing
    : Math.max(1, Math.min(RULE_PREFERENCE, limit));
}

function linesAt(first: number, ranges: readonly Prefix[], hasGateway: boolean): Line[] {
  const all = (step: number, words: (range: string) => string): Line[] =>
    ranges.map(range => ({ preference: first + step, words: words(format(range)) }));
  return [
    ...all(0, range => `to ${range} lookup main`),
    // `wg-quick down` deletes all rules that suppress 0, whosever they are.
    ...(hasGateway ? all(1, range => `from ${range} lookup main suppress_prefixlength 1`) : []),
    ...(hasGateway ? all(2, range => `from ${range} lookup ${ROUTE_TABLE}`) : []),
  ];
}

function probe(family: Family, policy: Policy, wanted: readonly Line[], isRouted: boolean): Finding {
  const standing = ownRules(family, policy.rules).length + ownRoutes(family, policy.table).length;
  if (wanted.length === 0) return standing === 0 ? PRESENT : changed('nothing leads elsewhere any more');
  if (standing === 0) return ABSENT;
  if (
    missing(family, policy, wanted).length === 0 &&
    surplus(family, policy, wanted).length === 0 &&
    isRouted
  )
    return PRESENT;
  return changed('they are not all there, or not before the rules of others');
}

const ownRules = (family: Family, rules: readonly RoutingRule[]): RoutingRule[] =>
  rules.filter(rule => rule.isOurs && rule.family === family);

const ownRoutes = (family: Family, table: Policy['table']): Policy['table'] =>
  table.filter(({ prefix }) => prefix.family === family);

const isSame = (a: Line, b: Line): boolean => a.preference === b.preference && a.words === b.words;

const missing = (family: Family, { rules }: Policy, wanted: readonly Line[]): Line[] =>
  wanted.filter(line => !ownRules(family, rules).some(rule => isSame(rule, line)));

const surplus = (family: Family, { rules }: Policy, wanted: readonly Line[]): Line[] =>
  ownRules(family, rules).filter(rule => !wanted.some(line => isSame(rule, line)));

/** The new ones come before the old ones go: at no time a packet passes without one of them. */
function change(family: Family, add: readonly Line[], remove: readonly Line[]): Action[] {
  const line =
    (verb: string) =>
    ({ preference, words }: Line) =>
      `rule ${verb} preference ${preference} ${words} protocol ${ROUTE_PROTOCOL}\n`;
  const input = [...add.map(line('add')), ...remove.map(line('delete'))].join('');
  return input === '' ? [] : [run(['ip', `-${family}`, '-batch', '-'], input)];
}

/** The provider's gateway may lie in no subnet of the host. */
const routeBy = (hop: Prefix, device: string): Action =>
  ip(...['route', 'replace', EVERYTHING[hop.family], 'via', format(hop), 'dev', device, 'onlink', ...OWN]);

const removeRoutes = (family: Family, { table }: Policy): Action[] =>
  ownRoutes(family, table).map(({ prefix }) => ip('route', 'delete', formatLong(prefix), ...OWN));

const EVERYTHING: Readonly<Record<Family, string>> = { 4: '0.0.0.0/0', 6: '::/0' };
const OWN = ['table', String(ROUTE_TABLE), 'proto', String(ROUTE_PROTOCOL)];
