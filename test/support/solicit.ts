import type { Guest } from '../lab/guest.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { octets } from './octets.ts';
import { ethernet, udp } from './packets.ts';
import { discovery, ipv6, routerSolicitation } from './packets6.ts';
import type { Wire } from './wire.ts';

/** What the kernel makes of a MAC (RFC 4291, appendix A). */
export function linkLocal(mac: string): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac.split(':').map(part => Number.parseInt(part, 16));
  const groups = [((a ^ 2) << 8) | b, (c << 8) | 0xff, 0xfe00 | d, (e << 8) | f];
  return `fe80::${groups.map(group => group.toString(16)).join(':')}`;
}

let transactions = 0;

/**
 * Asks for a DHCPv6 lease as a machine does that boots (RFC 8415, 18.2.1), under whatever DUID it likes.
 * @returns the server's advertisement
 */
export async function solicit({ mac }: Guest, wire: Wire, duid: readonly number[]): Promise<Buffer> {
  transactions += 1;
  const id = [0x68, 0x6e, transactions];
  const identity = [0, 3, 0, 12, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
  const message = [1, ...id, 0, 1, 0, duid.length, ...duid, ...identity, 0, 8, 0, 2, 0, 0];
  const packet = ipv6(linkLocal(mac), 'ff02::1:2', 'udp', udp(546, 547, Buffer.from(message)));
  const answer = Buffer.from([2, ...id]);
  wire.forget();
  // The server asks who it is by neighbour discovery, which takes time; so would a real client try again.
  await until(
    () => {
      wire.sendFrame(ethernet('33:33:00:01:00:02', mac, packet));
      return wire.count(answer) > 0;
    },
    PATIENCE,
    'an answer of the DHCPv6 server',
  );
  return wire.frames().findLast(frame => frame.includes(answer)) ?? Buffer.alloc(0);
}

/** Whether an address is in a message. */
export const names = (message: Buffer, address: string): boolean =>
  message.includes(Buffer.from(octets(address)));

export const routerSolicited = ({ mac }: Guest): Buffer =>
  ethernet('33:33:00:00:00:02', mac, discovery(linkLocal(mac), 'ff02::2', routerSolicitation(mac)));
export const isAdvertisement = (frame: Buffer): boolean => frame[20] === 58 && frame[54] === 134;

/** Asks for a router, and gives back its advertisement: flags and options, from the message's type on. */
export async function solicitRouter(guest: Guest, wire: Wire): Promise<Buffer> {
  wire.forget();
  wire.sendFrame(routerSolicited(guest));
  const found = () => wire.frames().find(isAdvertisement);
  return (await until(found, PATIENCE, 'a router advertisement')).subarray(54);
}
