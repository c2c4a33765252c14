/**
 * What is asked on the wires of a domain; pure. Frames go past routing and filters, so the host keeps nothing of them: no
 * neighbour, no tracked flow, no counter. Only what answers come in meets the filter, as it must for a verdict.
 */
import { format } from '../../model/address.ts';
import { equal, type Prefix } from '../../model/prefix.ts';
import { call, ping, pingAll, question } from '../questions.ts';
import { answerOf, endsOf, heard, sidesOf, usedAt, usedIn, usedOn, whereIs } from './hearing.ts';
import type { BridgeSide, Plan, Sighting, UplinkSide } from './wires.ts';

interface Outgoing {
  readonly device: string;
  readonly bytes: Uint8Array;
}

const sameFamily = (address: Prefix, all: readonly Prefix[]): Prefix | undefined =>
  all.find(({ family }) => family === address.family);

/** What is still to be asked, or to be asked again, after what was heard so far. */
export const due = (plan: Plan, seen: readonly Sighting[]): Outgoing[] => [
  ...plan.uplinks.flatMap(uplink => dueOutside(uplink, plan, seen)),
  ...plan.bridges.flatMap(bridge => [
    ...dueNeighbours(bridge, plan, seen),
    ...dueReplies(bridge, plan, seen),
    ...dueCalls(bridge, plan, seen),
  ]),
];

/**
 * Asks the far ends for an answer to each address of the domain, and to the host's own: where that one comes and the
 * other doesn't, the provider doesn't deliver the address to this host.
 */
function dueOutside(
  uplink: UplinkSide,
  { id, prefixes, uplinks }: Plan,
  seen: readonly Sighting[],
): Outgoing[] {
  const { device, mac: fromMac, own, gateways, far } = uplink;
  if (fromMac === undefined) return [];
  // Where several share a way, what is asked by one may be answered by another.
  const pongs = uplinks
    .flatMap(side => heard(seen, side, 'in', 'pong'))
    .filter(({ message }) => message.id === id);
  const answered = new Set(pongs.map(({ message }) => message.destination));
  // Nobody forwards to an address that isn't there, so where the sample isn't used the one that is tells more.
  const asked = prefixes
    .filter(one => one.uplinks.includes(device) && !one.isPrivate)
    .flatMap(({ prefix, bridge, sample }) => [
      sample,
      ...usedIn(prefix, seen, { device: bridge }).filter(one => !equal(one, sample)),
    ]);
  return gateways.flatMap(gateway => {
    const source = sameFamily(gateway, own);
    if (source === undefined) return [];
    const toMac = whereIs(seen, uplink, gateway);
    if (toMac === undefined) return [{ device, bytes: question({ fromMac, source }, gateway) }];
    const family = (one: Prefix): boolean => one.family === gateway.family;
    return [source, ...asked.filter(family)]
      .filter(one => !answered.has(format(one)))
      .flatMap(one =>
        far.filter(family).map(to => ({ device, bytes: ping({ fromMac, source: one }, toMac, to, id) })),
      );
  });
}

/** Asks who is there: for each address that may be, and whoever it is. */
function dueNeighbours(bridge: BridgeSide, { id }: Plan, seen: readonly Sighting[]): Outgoing[] {
  const { device, mac: fromMac, own, sought } = bridge;
  const known = new Set(usedOn(seen, bridge).map(({ address }) => format(address)));
  const missing = sought.filter(address => !known.has(format(address)));
  const asked = missing.flatMap(address => {
    const source = sameFamily(address, own);
    return source === undefined ? [] : [question({ fromMac, source }, address)];
  });
  const isSix = ({ family }: Prefix): boolean => family === 6;
  const called = missing.some(isSix) ? own.filter(isSix).map(source => pingAll({ fromMac, source }, id)) : [];
  return [...asked, ...called].map(bytes => ({ device, bytes }));
}

/** Pings the domain as if from a far end, so that its reply has to take its default route. */
function dueReplies(bridge: BridgeSide, plan: Plan, seen: readonly Sighting[]): Outgoing[] {
  const { device, mac: fromMac } = bridge;
  const isEnd = (text: string): boolean => endsOf(plan.uplinks).some(one => format(one) === text);
  const pongs = heard(seen, bridge, 'in', 'pong').map(({ message }) => message);
  const replied = new Set(pongs.filter(({ destination }) => isEnd(destination)).map(({ source }) => source));
  return usedOn(seen, bridge)
    .filter(({ address }) => !replied.has(format(address)))
    .flatMap(({ address, mac }) => {
      const source = sameFamily(address, endsOf(sidesOf(address, plan)));
      return source === undefined
        ? []
        : [{ device, bytes: ping({ fromMac, source }, mac, address, plan.id) }];
    });
}

/** Calls each port to which one of the host leads, from the host's own address on the bridge: no answer goes further. */
function dueCalls(bridge: BridgeSide, { prefixes }: Plan, seen: readonly Sighting[]): Outgoing[] {
  const { device, mac: fromMac, own } = bridge;
  return prefixes
    .filter(one => one.bridge === device && one.called.length > 0)
    .flatMap(({ prefix, called }) => {
      const [used, source] = [usedAt(prefix, seen, bridge), sameFamily(prefix, own)];
      if (used === undefined || source === undefined) return [];
      return called
        .filter(port => answerOf(prefix, port, seen, bridge) === 'unknown')
        .map(port => ({ device, bytes: call({ fromMac, source }, used.mac, prefix, port) }));
    });
}
