/** Why the kernel wouldn't serve an address, in words; pure. */
import { format } from '../model/address.ts';
import { hostAddresses, mendOf, whereHeld } from '../model/host-address.ts';
import { contains, equal, type Family, type Prefix } from '../model/prefix.ts';
import type { Uplink } from '../model/uplink.ts';
import { type Cause, type Packet, type RoutingRule, takes, type Verdict } from '../model/verdict.ts';
import type { Route, View } from '../model/view.ts';
import { sysctlPath } from '../resources/action.ts';

/** One of the two ways of an address: towards it from outside, or from it to outside. */
export interface Way {
  readonly address: Prefix;
  readonly packet: Packet;
  /** The device that the packet should leave by. */
  readonly wanted: string;
}

export interface Circumstances {
  readonly view: View;
  readonly uplink: Uplink;
  readonly rules: Readonly<Record<Family, readonly RoutingRule[]>>;
}

type Explain = (way: Way, verdict: Verdict, known: Circumstances) => Cause | undefined;

export const isServed = ({ wanted }: Way, verdict: Verdict): boolean =>
  verdict.is === 'forwarded' && verdict.dev === wanted;

/**
 * @param verdict on the way; it isn't what it should be
 * @param back the verdict on the other way of the same address: a reverse-path check asks for that
 */
export function causeOf(way: Way, verdict: Verdict, back: Verdict | undefined, known: Circumstances): Cause {
  const path: Explain = () => reversePath(way, verdict, back, known);
  for (const explain of [heldByHost, notForwarding, misled, forbidden, path, deadEnd]) {
    const cause = explain(way, verdict, known);
    if (cause !== undefined) return cause;
  }
  const words = verdict.is === 'dropped' ? `: ${verdict.words}` : '';
  return { why: `the kernel drops ${nameOf(way)}${words}`, mend: lookAt(way) };
}

const nameOf = ({ address, packet }: Way): string =>
  equal(address, packet.to) ? 'what is sent to it' : 'what it sends';

const lookAt = ({ packet: { from, to, iif } }: Way): string =>
  `ip route get ${format(to)} from ${format(from)} iif ${iif}`;

const heldByHost: Explain = ({ address }, verdict, { view, uplink }) => {
  const held = hostAddresses(view).find(one => equal(one.address, address));
  if (held !== undefined) {
    return {
      why: `the host itself has ${whereHeld(held)}, and answers in the VM's place`,
      mend: mendOf(held, uplink),
    };
  }
  if (verdict.is !== 'delivered') return undefined;
  const mend = `ip -${address.family} route show table local match ${format(address)}`;
  return { why: 'the host takes it for its own, by a route of its table "local"', mend };
};

/** IPv6's lookup doesn't ask whether the host forwards. */
const notForwarding: Explain = ({ packet: { iif, to } }, verdict, { view }) => {
  if (verdict.is !== 'dropped' || to.family !== 4) return undefined;
  if (view.sysctl(sysctlPath('ipv4', iif, 'forwarding')) !== '0') return undefined;
  return { why: `forwarding is off on ${iif}`, mend: 'hnet sync' };
};

/** It leaves by another device. */
const misled: Explain = (way, verdict, { view, rules }) => {
  if (verdict.is !== 'forwarded') return undefined;
  const { packet } = way;
  const { dev, table } = verdict;
  const rule = rules[packet.to.family].find(one => one.table === table && takes(one, packet));
  if (table !== 'main' && rule !== undefined) {
    const why = `the rule ${titleOf(rule)} leads ${nameOf(way)} to ${dev}`;
    return { why, mend: `ip -${packet.to.family} rule show` };
  }
  const route = bestRoute(packet.to, view, one => one.dev === dev);
  const which = route === undefined ? 'a route' : `the route ${routeTitle(route)}`;
  return { why: `${which} leads ${nameOf(way)} to ${dev}`, mend: lookAt(way) };
};

/** A rule that forbids by itself. */
const forbidden: Explain = (way, verdict, { rules }) => {
  if (verdict.is !== 'dropped') return undefined;
  const { packet } = way;
  const rule = rules[packet.to.family].find(one => one.drops && takes(one, packet));
  if (rule === undefined) return undefined;
  const mend = `ip -${packet.to.family} rule show`;
  return { why: `the rule ${titleOf(rule)} forbids ${nameOf(way)}`, mend };
};

/** rp_filter, of IPv4 alone: 1 wants the way back by the same interface, 2 any way back. */
function reversePath(
  way: Way,
  verdict: Verdict,
  back: Verdict | undefined,
  { view }: Circumstances,
): Cause | undefined {
  const { iif, to } = way.packet;
  if (verdict.is !== 'dropped' || to.family !== 4) return undefined;
  if (!/^Invalid (cross-device link|argument)$/.test(verdict.words)) return undefined;
  const strictest = Math.max(...['all', iif].map(name => Number(view.sysctl(pathFilter(name)) ?? 0)));
  const isBack = back?.is === 'forwarded' && (strictest === 2 || back.dev === iif);
  if (strictest === 0 || isBack) return undefined;
  const leads = back?.is === 'forwarded' ? `leads to ${back.dev}` : 'is missing';
  const why = `the reverse-path check of ${iif} (rp_filter is ${strictest}) drops ${nameOf(way)}: the way back ${leads}`;
  return { why, mend: `sysctl -w net.ipv4.conf.${iif}.rp_filter=2` };
}

const pathFilter = (device: string): string => sysctlPath('ipv4', device, 'rp_filter');

/** Tables that every host has, or none. */
const USUAL: readonly (string | undefined)[] = ['local', 'main', 'default', undefined];

/** A route that drops, in main or in another table. */
const deadEnd: Explain = (way, verdict, { view, rules }) => {
  if (verdict.is !== 'dropped') return undefined;
  const { packet } = way;
  const route = bestRoute(packet.to, view, () => true);
  if (route !== undefined && route.type !== 'unicast')
    return { why: `the route ${routeTitle(route)} drops ${nameOf(way)}`, mend: lookAt(way) };
  const other = rules[packet.to.family].find(one => !USUAL.includes(one.table) && takes(one, packet));
  if (other !== undefined)
    return {
      why: `the rule ${titleOf(other)} has a table that drops ${nameOf(way)}: ${verdict.words}`,
      mend: `ip -${packet.to.family} rule show`,
    };
  if (route !== undefined || verdict.words !== 'Network is unreachable') return undefined;
  return { why: `there is no route for ${nameOf(way)}`, mend: `ip -${packet.to.family} route show` };
};

const titleOf = ({ preference, text }: RoutingRule): string => `${preference} (${text})`;

const routeTitle = ({ prefix, type, dev, metric }: Route): string => {
  const what = prefix.length === 0 ? 'default' : format(prefix);
  return `${type === 'unicast' ? '' : `${type} `}${what}${dev === undefined ? '' : ` dev ${dev}`} metric ${metric}`;
};

/** The route of the main table that the kernel takes: the most specific, and of those the one with the least metric. */
function bestRoute(to: Prefix, { routes }: View, isWanted: (route: Route) => boolean): Route | undefined {
  const found = [...routes.values()].filter(route => contains(route.prefix, to) && isWanted(route));
  return found.sort((a, b) => b.prefix.length - a.prefix.length || a.metric - b.metric)[0];
}
