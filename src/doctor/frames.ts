/** Frames of the protocols by which neighbours find each other, as values; pure. */
import { formatAddress } from '../model/address.ts';
import type { Family, Prefix } from '../model/prefix.ts';

/** What a frame says. Addresses and MACs are texts in their canonical form. */
export type Message =
  /** "Who has `target`? Tell `sender`." */
  | { readonly is: 'question'; readonly sender: string; readonly target: string }
  /** "`sender` is here." */
  | { readonly is: 'answer'; readonly sender: string }
  | ({ readonly is: 'ping' } & Echo)
  | ({ readonly is: 'pong' } & Echo)
  /** `address` is what the client asks for or the server hands out; undefined where the message names none. */
  | { readonly is: 'dhcp'; readonly by: 'client' | 'server'; readonly address: string | undefined };

/** An echo request or its reply (RFC 792; RFC 4443, 4). */
interface Echo {
  readonly source: string;
  readonly destination: string;
  readonly id: number;
}

const [ARP, IPV4, IPV6] = [0x0806, 0x0800, 0x86dd];
const [ICMP, UDP, ICMPV6] = [1, 17, 58];
const PING: Readonly<Record<Family, number>> = { 4: 8, 6: 128 };
const PONG: Readonly<Record<Family, number>> = { 4: 0, 6: 129 };
/** RFC 4861, 4.3 and 4.4. */
const [SOLICITATION, ADVERTISEMENT] = [135, 136];

const macText = (bytes: Uint8Array): string =>
  [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join(':');
const numberOf = (bytes: Uint8Array): bigint =>
  bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
const addressText = (bytes: Uint8Array): string => formatAddress(bytes.length === 4 ? 4 : 6, numberOf(bytes));
const half = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

/** The MAC that a frame came from. */
export const senderOf = (frame: Uint8Array): string => macText(frame.subarray(6, 12));

/** Reads a frame; undefined if it is none of these, or cut short. */
export function readFrame(frame: Uint8Array): Message | undefined {
  const packet = frame.subarray(14);
  switch (half(frame, 12)) {
    case ARP:
      return packet.length < 28 ? undefined : readArp(packet);
    case IPV4:
      return packet.length < 20 ? undefined : readIpv4(packet);
    case IPV6:
      return packet.length < 40 ? undefined : readIpv6(packet);
    default:
      return undefined;
  }
}

/** RFC 826. */
function readArp(packet: Uint8Array): Message | undefined {
  const [sender, target] = [addressText(packet.subarray(14, 18)), addressText(packet.subarray(24, 28))];
  if (half(packet, 6) === 1) return { is: 'question', sender, target };
  return half(packet, 6) === 2 ? { is: 'answer', sender } : undefined;
}

function readIpv4(packet: Uint8Array): Message | undefined {
  const payload = packet.subarray(((packet[0] ?? 0) & 15) * 4);
  const ends = { source: packet.subarray(12, 16), destination: packet.subarray(16, 20) };
  if (packet[9] === ICMP) return readEcho(4, payload, ends);
  return packet[9] === UDP ? readDhcp(payload) : undefined;
}

function readIpv6(packet: Uint8Array): Message | undefined {
  const payload = packet.subarray(40);
  const ends = { source: packet.subarray(8, 24), destination: packet.subarray(24, 40) };
  if (packet[6] === UDP) return readDhcp6(payload);
  if (packet[6] !== ICMPV6) return undefined;
  const target = payload.length < 24 ? undefined : addressText(payload.subarray(8, 24));
  if (payload[0] === SOLICITATION && target !== undefined)
    return { is: 'question', sender: addressText(ends.source), target };
  if (payload[0] === ADVERTISEMENT && target !== undefined) return { is: 'answer', sender: target };
  return readEcho(6, payload, ends);
}

type Ends = { readonly source: Uint8Array; readonly destination: Uint8Array };

function readEcho(family: Family, payload: Uint8Array, { source, destination }: Ends): Message | undefined {
  const echo = { source: addressText(source), destination: addressText(destination), id: half(payload, 4) };
  if (payload[0] === PING[family]) return { is: 'ping', ...echo };
  return payload[0] === PONG[family] ? { is: 'pong', ...echo } : undefined;
}

/** Where BOOTP's fields and DHCP's options begin, in a UDP datagram (RFC 2131, 2). */
const [CLIENT, YOURS, OPTIONS] = [20, 24, 248];
const REQUESTED = 50;
const NONE = '0.0.0.0';

function readDhcp(datagram: Uint8Array): Message | undefined {
  if (datagram.length < OPTIONS) return undefined;
  const by = half(datagram, 2) === 67 ? 'client' : 'server';
  const given = addressText(datagram.subarray(...(by === 'client' ? at(CLIENT) : at(YOURS))));
  const address =
    given !== NONE ? given : by === 'client' ? requested(datagram.subarray(OPTIONS)) : undefined;
  return { is: 'dhcp', by, address };
}

const at = (place: number): [number, number] => [place, place + 4];

/** The address that a client asks for as an option. */
function requested(options: Uint8Array): string | undefined {
  for (let place = 0; place < options.length && options[place] !== 255; ) {
    const length = options[place] === 0 ? -1 : (options[place + 1] ?? 0);
    if (options[place] === REQUESTED && length === 4)
      return addressText(options.subarray(place + 2, place + 6));
    place += 2 + length;
  }
  return undefined;
}

/** Of DHCPv6 it matters only who speaks: its clients ask for no address. */
const readDhcp6 = (datagram: Uint8Array): Message => ({
  is: 'dhcp',
  by: half(datagram, 2) === 547 ? 'client' : 'server',
  address: undefined,
});

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
  const sealed = seal(body, 2, checksum(body));
  const header = [0x45, 0, 0, 20 + body.length, 0, 0, 0, 0, 64, ICMP, 0, 0];
  const whole = [...header, ...octets(source), ...octets(destination)];
  return frame(toMac, fromMac, IPV4, [...seal(whole, 10, checksum(whole)), ...sealed]);
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
