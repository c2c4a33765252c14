/** Asks the kernel what it would do with packets. */
import { format, parseAddress } from '../../model/address.ts';
import { FAMILIES, type Family, type Prefix } from '../../model/prefix.ts';
import type { Packet, Verdict } from '../../model/verdict.ts';
import type { Route } from '../../model/view.ts';
import type { Host } from '../host.ts';
import { about } from '../query.ts';
import { toRoutes } from './ip.ts';
import { namesNoDevice, toVerdict } from './route-get.ts';
import { FAR_AWAY } from './uplink.ts';

/** The verdict about each packet, in one process. @throws Refusal if `ip` gives no answer, or one that isn't whole */
export function askVerdicts(host: Host, packets: readonly Packet[]): ReadonlyMap<Packet, Verdict> {
  if (packets.length === 0) return new Map();
  const { lookups } = host.query({ lookups: about(packets, questionOf) });
  const unnamed = [...lookups].filter(([, answer]) => namesNoDevice(answer)).map(([packet]) => packet);
  const hops = unnamed.length === 0 ? new Map() : host.query({ hops: about(unnamed, hopOf) }).hops;
  return new Map([...lookups, ...hops].map(([packet, answer]) => [packet, toVerdict(answer)]));
}

/** The words after `ip` that ask about a packet: it names all next hops of the route that the packet would take. */
export const questionOf = ({ from, to, iif }: Packet): string =>
  `route get fibmatch ${format(to)} from ${format(from)} iif ${iif}`;
/** The same, answered by one next hop: where net.ipv4.nexthop_compat_mode is 0 the other names none. */
const hopOf = (packet: Packet): string => questionOf(packet).replace(' fibmatch', '');

/** The routes that packets take; of one that is dropped the kernel names none. */
export function askRoutes(host: Host, packets: readonly Packet[]): (packet: Packet) => Route | undefined {
  const { lookups } = host.query({
    lookups: about(packets, questionOf),
  });
  const routes = new Map(
    [...lookups].map(([packet, { found }]) => [packet, [...toRoutes(packet.to.family, found).values()][0]]),
  );
  return packet => routes.get(packet);
}

/**
 * An address of the Internet in each family: the first that the host doesn't drop, as a careful one does those of RFC 5737.
 */
export function outside(host: Host): Readonly<Record<Family, Prefix>> {
  const { lookups } = host.query({
    lookups: about(
      FAMILIES.flatMap(family => FAR_AWAY[family]),
      address => `route get ${address}`,
    ),
  });
  const inFamily = (family: Family): Prefix => {
    const [first = '', ...others] = FAR_AWAY[family];
    const found = [first, ...others].find(address => lookups.get(address)?.failure === undefined);
    return parseAddress(found ?? first);
  };
  return { 4: inFamily(4), 6: inFamily(6) };
}
