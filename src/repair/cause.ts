/** Why the kernel wouldn't serve an address, in words; pure. */
import { format } from '../model/address.ts';
import type { Attachment } from '../model/attachment.ts';
import { hostAddresses, mendOf, whereHeld } from '../model/host-address.ts';
import { equal, type Prefix } from '../model/prefix.ts';
import type { Uplinks } from '../model/uplink.ts';
import { type Cause, drops, type Packet, tableOf, takes, type Verdict } from '../model/verdict.ts';
import type { Route, RoutingRule, View } from '../model/view.ts';
import { sysctlPath } from '../resources/action.ts';

/** One of the two ways of an address: towards it from outside, or from it to outside. */
export interface Way {
  readonly address: Prefix;
  readonly packet: Packet;
  /** The devices of which the packet should leave by one. */
  readonly wanted: readonly string[];
}

/** An address, the ways towards it by each interface from which packets for it may come, and the way back. */
export interface Sample {
  readonly attachment: Attachment;
  readonly address: Prefix;
  readonly towards: readonly Way[];
  readonly back: Way;
}

interface Circumstances {
  readonly view: View;
  readonly uplinks: Uplinks;
  /** The route that a packet takes, where it takes one. */
  readonly routeOf: (packet: Packet) => Route | undefined;
}

type Explain = (way: Way, verdict: Verdict, known: Circumstances) => Cause | undefined;

export const isServed = ({ wanted }: Way, verdict: Verdict): boolean =>
  verdict.is === 'forwarded' && verdict.devices.every(device => wanted.includes(device));

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
  return { why: `the kernel doesn't forward ${nameOf(way)}`, mend: lookAt(way) };
}

/** Its packets, in words. */
export const nameOf = ({ address, packet }: Way): string =>
  equal(address, packet.to) ? 'what is sent to it' : 'what it sends';

const lookAt = ({ packet: { from, to, iif } }: Way): string =>
  `ip route get ${format(to)} from ${format(from)} iif ${iif}`;

const heldByHost: Explain = ({ address }, verdict, { view, uplinks }) => {
  const held = hostAddresses(view).find(one => equal(one.address, address));
  if (held !== undefined) {
    return {
      why: `the host itself has ${whereHeld(held)}, and answers in the VM's place`,
      mend: mendOf(held, uplinks),
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
const misled: Explain = (way, verdict, { view, routeOf }) => {
  if (verdict.is !== 'forwarded') return undefined;
  const { packet, wanted } = way;
  const { devices, table } = verdict;
  const [astray] = devices.filter(device => !wanted.includes(device));
  const leads = `leads ${devices.length > 1 ? 'a part of ' : ''}${nameOf(way)} to ${astray}`;
  const rule = table === 'main' ? undefined : rulesOn(packet, view).find(one => tableOf(one) === table);
  if (rule !== undefined) return byRule(rule, leads);
  const route = routeOf(packet);
  const which = route === undefined ? 'a route' : `the route ${routeTitle(route)}`;
  return { why: `${which} ${leads}`, mend: lookAt(way) };
};

/** A rule that forbids by itself. */
const forbidden: Explain = (way, verdict, { view }) => {
  const rule = verdict.is === 'dropped' ? rulesOn(way.packet, view).find(drops) : undefined;
  return rule && byRule(rule, `forbids ${nameOf(way)}`);
};

const rulesOn = (packet: Packet, { policy }: View): RoutingRule[] =>
  (policy?.rules ?? []).filter(rule => takes(rule, packet));

const byRule = ({ family, preference, words }: RoutingRule, does: string): Cause => ({
  why: `the rule ${preference} (${words}) ${does}`,
  mend: `ip -${family} rule show`,
});

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
  const isBack = back?.is === 'forwarded' && (strictest === 2 || back.devices.includes(iif));
  if (strictest === 0 || isBack) return undefined;
  const leads = back?.is === 'forwarded' ? `leads to ${back.devices.join(', ')}` : 'is missing';
  const why = `the reverse-path check of ${iif} (rp_filter is ${strictest}) drops ${nameOf(way)}: the way back ${leads}`;
  return { why, mend: `sysctl -w net.ipv4.conf.${iif}.rp_filter=2` };
}

const pathFilter = (device: string): string => sysctlPath('ipv4', device, 'rp_filter');

/** Tables that every host has, or none. */
const USUAL: readonly (string | undefined)[] = ['local', 'main', 'default', undefined];

/** What the kernel says of a packet that a route drops; `Invalid argument` may also be about its source. */
const DEAD_ENDS: Readonly<Record<string, string>> = {
  'Invalid argument': 'a blackhole route drops',
  'No route to host': 'an unreachable route drops',
  'Permission denied': 'a prohibit route drops',
  'Network is unreachable': 'there is no route for',
};

/** A route that drops, in main or in the table of a rule; which one it is the kernel doesn't say. */
const deadEnd: Explain = (way, verdict, { view }) => {
  if (verdict.is !== 'dropped') return undefined;
  const what = `${DEAD_ENDS[verdict.words] ?? 'the kernel drops'} ${nameOf(way)} (${verdict.words})`;
  const other = rulesOn(way.packet, view).find(one => !USUAL.includes(tableOf(one)));
  return other === undefined
    ? { why: what, mend: lookAt(way) }
    : byRule(other, `has a table of its own, and ${what}`);
};

const routeTitle = ({ prefix, type, dev, metric }: Route): string => {
  const what = prefix.length === 0 ? 'default' : format(prefix);
  return `${type === 'unicast' ? '' : `${type} `}${what}${dev === undefined ? '' : ` dev ${dev}`} metric ${metric}`;
};
