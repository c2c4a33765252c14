/** Frames that ask: who is there, does it answer, does it listen; pure. frames.ts reads what comes back. */
import { CALLER } from '../model/names.ts';
import type { Prefix } from '../model/prefix.ts';
import { ADVERTISEMENT, ARP, ICMP, ICMPV6, IPV4, IPV6, macText, PING, SOLICITATION, TCP } from './frames.ts';

/** Who sends a frame. */
export interface Sender {
  readonly fromMac: string;
  readonly source: Prefix;
}

const octets = ({ family, first }: Prefix): number[] =>
  Array.from({ length: family === 4 ? 4 : 16 }, (_, place) =>
    Number((first >> BigInt(8 * ((family === 4 ? 3 : 15) - place))) & 255n),
  );
const macOctets = (mac: string): number[] => mac.split(':').map(part => Number.parseInt(part, 16));
const BROADCAST = 'ff:ff:ff:ff:ff:ff';

const frame = (to: string, from: string, type: number, packet: readonly number[]): Uint8Array =>
  Uint8Array.from([...macOctets(to), ...macOctets(from), type >> 8, type & 255, ...packet]);

/** "Who has that?", in either family: ARP, or a neighbour solicitation. */
export function question({ fromMac, source }: Sender, target: Prefix): Uint8Array {
  if (target.family === 6) return solicitation({ fromMac, source }, target);
  const own = [...macOctets(fromMac), ...octets(source)];
  const packet = [0, 1, 8, 0, 6, 4, 0, 1, ...own, 0, 0, 0, 0, 0, 0, ...octets(target)];
  return frame(BROADCAST, fromMac, ARP, packet);
}

/**
 * Tells everybody on a wire, unasked, where an address is now: a gratuitous ARP request (RFC 5227, 3), which most systems
 * take where they already know the address, or an unsolicited neighbour advertisement (RFC 4861, 7.2.6).
 */
export function announcement({ fromMac, source }: Sender): Uint8Array {
  if (source.family === 4) return question({ fromMac, source }, source);
  const body = [ADVERTISEMENT, 0, 0, 0, OVERRIDE, 0, 0, 0, ...octets(source), 2, 1, ...macOctets(fromMac)];
  const packet = ipv6({ source, destination: ALL_NODES, hops: 255 }, body);
  return frame(groupMac(ALL_NODES), fromMac, IPV6, packet);
}

/** The flag by which a neighbour's entry is overwritten. */
const OVERRIDE = 0x20;

/** To the multicast address that everybody with such an address listens to (RFC 4291, 2.7.1). */
function solicitation({ fromMac, source }: Sender, target: Prefix): Uint8Array {
  const to = (0xff02n << 112n) | (0x1ffn << 24n) | (target.first & 0xffffffn);
  const options = [1, 1, ...macOctets(fromMac)];
  const body = [SOLICITATION, 0, 0, 0, 0, 0, 0, 0, ...octets(target), ...options];
  const destination: Prefix = { family: 6, first: to, length: 128 };
  return frame(groupMac(destination), fromMac, IPV6, ipv6({ source, destination, hops: 255 }, body));
}

/** RFC 2464, 7. */
const groupMac = (group: Prefix): string =>
  macText(Uint8Array.from([0x33, 0x33, ...octets(group).slice(12)]));

/** All systems on a wire (RFC 4291, 2.7.1). */
const ALL_NODES: Prefix = { family: 6, first: (0xff02n << 112n) | 1n, length: 128 };

/** Asks every system on a wire for a sign of life; it answers from an address of the scope that `source` has. */
export const pingAll = (ends: Sender, id: number): Uint8Array =>
  ping(ends, groupMac(ALL_NODES), ALL_NODES, id);

export function ping(
  { fromMac, source }: Sender,
  toMac: string,
  destination: Prefix,
  id: number,
): Uint8Array {
  const body = [PING[source.family], 0, 0, 0, id >> 8, id & 255, 0, 1, 104, 110, 101, 116];
  if (source.family === 6) return frame(toMac, fromMac, IPV6, ipv6({ source, destination, hops: 64 }, body));
  const ends = [...octets(source), ...octets(destination)];
  return frame(toMac, fromMac, IPV4, ipv4(ICMP, ends, seal(body, 2, checksum(body))));
}

/** A packet with no options (RFC 791). */
function ipv4(protocol: number, ends: readonly number[], body: readonly number[]): number[] {
  const whole = [0x45, 0, 0, 20 + body.length, 0, 0, 0, 0, 64, protocol, 0, 0, ...ends];
  return [...seal(whole, 10, checksum(whole)), ...body];
}

/** The flag of TCP that begins a connection (RFC 9293, 3.1). */
const SYN = 2;

/**
 * The first segment of a TCP connection in IPv4, from {@link CALLER}, as a frame: the host's own stack doesn't know of it,
 * so it resets what is accepted.
 */
export function call(
  { fromMac, source }: Sender,
  toMac: string,
  destination: Prefix,
  port: number,
): Uint8Array {
  const ports = [CALLER >> 8, CALLER & 255, port >> 8, port & 255];
  const body = [...ports, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, SYN, 4, 0, 0, 0, 0, 0];
  const ends = [...octets(source), ...octets(destination)];
  const sum = checksum([...ends, 0, TCP, 0, body.length, ...body]);
  return frame(toMac, fromMac, IPV4, ipv4(TCP, ends, seal(body, 16, sum)));
}

/** The checksum covers the addresses too (RFC 8200, 8.1). */
function ipv6(
  { source, destination, hops }: { source: Prefix; destination: Prefix; hops: number },
  body: readonly number[],
): number[] {
  const ends = [...octets(source), ...octets(destination)];
  const sealed = seal(body, 2, checksum([...ends, 0, 0, 0, body.length, 0, 0, 0, ICMPV6, ...body]));
  return [0x60, 0, 0, 0, 0, body.length, ICMPV6, hops, ...ends, ...sealed];
}

const seal = (bytes: readonly number[], place: number, sum: number): number[] =>
  bytes.map((byte, index) => (index === place ? sum >> 8 : index === place + 1 ? sum & 255 : byte));

/** RFC 1071. */
function checksum(bytes: readonly number[]): number {
  let sum = 0;
  for (let place = 0; place < bytes.length; place += 2)
    sum += ((bytes[place] ?? 0) << 8) + (bytes[place + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
