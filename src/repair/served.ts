/** Whether the kernel would serve the addresses of running domains: a packet to each, and one from it, by its own word. */
import type { Host } from '../host/host.ts';
import { readRoutingRules } from '../host/observe/routing-rules.ts';
import { FAR_AWAY } from '../host/observe/uplink.ts';
import { askVerdicts } from '../host/observe/verdict.ts';
import { parseAddress } from '../model/address.ts';
import type { Attachment } from '../model/attachment.ts';
import type { Address } from '../model/bridge.ts';
import { hostAddresses } from '../model/host-address.ts';
import { ROUTE_PROTOCOL } from '../model/names.ts';
import {
  compare,
  contains,
  equal,
  type Family,
  isSingle,
  last,
  nth,
  type Prefix,
  size,
} from '../model/prefix.ts';
import type { Uplink } from '../model/uplink.ts';
import type { Cause, Verdict } from '../model/verdict.ts';
import type { View } from '../model/view.ts';
import { ARP_IGNORE } from '../resources/bridge.ts';
import { causeOf, isServed, type Way } from './cause.ts';

/** An address that the kernel wouldn't serve. */
export interface Unserved {
  readonly attachment: Attachment;
  readonly address: Prefix;
  readonly cause: Cause;
}

interface Asked {
  readonly view: View;
  readonly uplink: Uplink;
}

/** What of the routing table the questions depend on. */
interface Landscape {
  readonly outside: Readonly<Record<Family, Prefix>>;
  readonly begins: readonly Prefix[];
}

interface Pair {
  readonly attachment: Attachment;
  readonly towards: Way;
  readonly back: Way;
}

/**
 * Asks about every address, in one process, and about the causes in two more where something is wrong. The packets are
 * ones that no filter has seen: marks, and what filters drop, are not in it.
 * @throws Refusal if `ip` doesn't answer
 */
export function unserved(attachments: readonly Attachment[], seen: Asked, host: Host): Unserved[] {
  const { view } = seen;
  const around = { outside: { 4: outsideOf(4, view), 6: outsideOf(6, view) }, begins: beginnings(view) };
  const pairs = attachments.flatMap(attachment =>
    attachment.addresses.flatMap(one => pairsOf(attachment, one, seen, around)),
  );
  const ways = pairs.flatMap(({ towards, back }) => [towards, back]);
  const verdicts = askVerdicts(
    host,
    ways.map(({ packet }) => packet),
  );
  const deaf = pairs.filter(({ towards }) => towards.address.family === 4 && isDeaf(view));
  const wrong = pairs.filter(({ towards, back }) =>
    [towards, back].some(way => !isServed(way, verdictOn(way, verdicts))),
  );
  const unheard = deaf.map(({ attachment, towards: { address } }) => ({ attachment, address, cause: DEAF }));
  if (wrong.length === 0) return unheard;
  const rules = { 4: readRoutingRules(host, 4), 6: readRoutingRules(host, 6) };
  return [...unheard, ...wrong.flatMap(pair => explained(pair, verdicts, { ...seen, rules }))];
}

/** With 8 the host answers no ARP request at all, whatever addresses its interfaces have. */
const isDeaf = ({ sysctl }: View): boolean => sysctl(ARP_IGNORE) === '8';
export const DEAF: Cause = {
  why: 'arp_ignore is 8 for all interfaces: the host answers no ARP request, and no VM finds its gateway',
  mend: 'sysctl -w net.ipv4.conf.all.arp_ignore=2',
};

const verdictOn = ({ packet }: Way, verdicts: ReadonlyMap<unknown, Verdict>): Verdict =>
  verdicts.get(packet) ?? { is: 'dropped', words: 'ip gives no answer' };

function pairsOf(
  attachment: Attachment,
  { prefix, bridge }: Address,
  { uplink }: Asked,
  { outside: known, begins }: Landscape,
): Pair[] {
  const outside = known[prefix.family];
  return samplesOf(prefix, begins).map(address => ({
    attachment,
    towards: { address, packet: { from: outside, to: address, iif: uplink.device }, wanted: bridge },
    back: { address, packet: { from: address, to: outside, iif: bridge }, wanted: uplink.device },
  }));
}

/** An address of the Internet: the first that the host doesn't drop, as a careful one does those of RFC 5737. */
function outsideOf(family: Family, { routes }: View): Prefix {
  const drops = [...routes.values()].filter(({ type }) => type !== 'unicast').map(({ prefix }) => prefix);
  const candidates = FAR_AWAY[family].map(parseAddress);
  const free = candidates.find(one => !drops.some(range => contains(range, one)));
  return free ?? candidates[0] ?? { family, first: 0n, length: 0 };
}

/** Where something of somebody else may begin inside of a subnet: routes, and addresses of the host; in order. */
const beginnings = (view: View): Prefix[] =>
  [
    ...[...view.routes.values()]
      .filter(({ protocol }) => protocol !== OURS)
      .map(({ prefix }) => nth(prefix, 0n)),
    ...hostAddresses(view).map(({ address }) => address),
  ].sort(compare);

const OURS = String(ROUTE_PROTOCOL);

/** Of a subnet its ends, and what begins in it. An IPv6 subnet's first address is the host's, as its router (RFC 4291). */
function samplesOf(prefix: Prefix, begins: readonly Prefix[]): Prefix[] {
  if (isSingle(prefix)) return [prefix];
  const inside = begins.slice(
    placeOf(prefix, begins),
    placeOf({ ...prefix, first: last(prefix) + 1n }, begins),
  );
  const [first, second, end] = [nth(prefix, 0n), nth(prefix, 1n), nth(prefix, size(prefix) - 1n)];
  const all = [first, ...inside, end].map(one => (one.family === 6 && equal(one, first) ? second : one));
  return [...new Map(all.map(one => [one.first, one])).values()];
}

/** How many of them, which are in order, come before a prefix; there may be many thousands. */
function placeOf({ family, first }: Prefix, begins: readonly Prefix[]): number {
  let [low, high] = [0, begins.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const one = begins[middle];
    if (one !== undefined && (one.family < family || (one.family === family && one.first < first)))
      low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Both ways usually have one cause; where they have two, both are told. */
function explained(
  { attachment, towards, back }: Pair,
  verdicts: ReadonlyMap<unknown, Verdict>,
  known: Parameters<typeof causeOf>[3],
): Unserved[] {
  const [there, home] = [verdictOn(towards, verdicts), verdictOn(back, verdicts)];
  const causes = [
    ...(isServed(towards, there) ? [] : [causeOf(towards, there, home, known)]),
    ...(isServed(back, home) ? [] : [causeOf(back, home, there, known)]),
  ];
  const unique = new Map(causes.map(cause => [cause.why, cause]));
  return [...unique.values()].map(cause => ({ attachment, address: towards.address, cause }));
}
