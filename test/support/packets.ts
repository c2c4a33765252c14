/** Packets as bytes, made by hand: what no honest sender would send. */
import { addressOf, castagnoli, checksum, octets, transportChecksum } from './octets.ts';
import {
  AUTHENTICATION,
  bare6,
  DESTINATION_OPTIONS,
  fragment,
  HOP_BY_HOP,
  ipv6,
  NOTHING_MORE,
  routing,
} from './packets6.ts';

export interface IpOptions {
  readonly ttl?: number;
  readonly id?: number;
  /** In units of eight bytes. */
  readonly offset?: number;
  readonly moreFragments?: boolean;
  /** IP options (RFC 791, 3.1), padded here to whole words. */
  readonly options?: readonly number[];
}

const PROTOCOL = { icmp: 1, igmp: 2, tcp: 6, udp: 17, sctp: 132 } as const;
const mac = (text: string): number[] => text.split(':').map(part => Number.parseInt(part, 16));
export const BROADCAST_MAC = 'ff:ff:ff:ff:ff:ff';

export function ethernet(to: string, from: string, packet: Uint8Array): Buffer {
  const type = (packet[0] ?? 0) >> 4 === 6 ? 0x86dd : 0x0800;
  const header = Buffer.from([...mac(to), ...mac(from), type >> 8, type & 255]);
  return Buffer.concat([header, packet]);
}

/** A packet of whichever family its ends are. */
export const packet = (
  source: string,
  destination: string,
  protocol: 'tcp' | 'udp' | 'icmp',
  payload: Uint8Array,
): Buffer => (source.includes(':') ? ipv6 : ipv4)(source, destination, protocol, payload);

/**
 * A packet of any protocol, of whichever family its ends are; in IPv6, one with that extension header where the number is
 * that of one. What has a checksum over the addresses must come with it.
 */
export function numbered(source: string, destination: string, protocol: number, payload: Uint8Array): Buffer {
  if (!source.includes(':')) return ipv4(source, destination, protocol, payload);
  const extension = [HOP_BY_HOP, DESTINATION_OPTIONS, AUTHENTICATION, routing(2, destination)].find(
    ({ is }) => is === protocol,
  );
  return extension === undefined
    ? bare6(source, destination, protocol, payload)
    : bare6(source, destination, NOTHING_MORE, payload, { extensions: [extension] });
}

/** A fragment of a datagram, of whichever family its ends are. @param offset in bytes, of which eight are a unit */
export const piece = (
  source: string,
  destination: string,
  bytes: Uint8Array,
  { id, offset, more, of = 'udp' }: { id: number; offset: number; more: boolean; of?: 'udp' | 'sctp' },
): Buffer =>
  source.includes(':')
    ? bare6(source, destination, PROTOCOL[of], bytes, { extensions: [fragment(id, offset, more)] })
    : ipv4(source, destination, of, bytes, { id, offset: offset / 8, moreFragments: more });

/** An IPv4 packet (RFC 791). */
export function ipv4(
  source: string,
  destination: string,
  protocol: keyof typeof PROTOCOL | number,
  payload: Uint8Array,
  { ttl = 64, id = 0x4242, offset = 0, moreFragments = false, options = [] }: IpOptions = {},
): Buffer {
  const words = 5 + Math.ceil(options.length / 4);
  const header = Buffer.alloc(words * 4);
  header.writeUInt8(0x40 | words, 0);
  header.writeUInt16BE(header.length + payload.length, 2);
  header.writeUInt16BE(id, 4);
  header.writeUInt16BE((moreFragments ? 0x2000 : 0) | offset, 6);
  header.writeUInt8(ttl, 8);
  header.writeUInt8(typeof protocol === 'number' ? protocol : PROTOCOL[protocol], 9);
  header.set([...octets(source), ...octets(destination), ...options], 12);
  header.writeUInt16BE(checksum(header), 10);
  return Buffer.concat([header, payload]);
}

/** A UDP datagram without a checksum, which IPv4 allows. */
export function udp(from: number, to: number, data: Uint8Array | string): Buffer {
  const body = Buffer.from(data);
  const header = Buffer.alloc(8);
  header.writeUInt16BE(from, 0);
  header.writeUInt16BE(to, 2);
  header.writeUInt16BE(8 + body.length, 4);
  return Buffer.concat([header, body]);
}

/**
 * An SCTP packet that opens an association, or the answer to one (RFC 9260, 3.3.2 and 3.3.3), with data in a parameter that
 * nobody knows. @param answers the tag of the packet that it answers
 */
export function sctp(from: number, to: number, tag: number, data: string, answers?: number): Buffer {
  const body = Buffer.from(data.padEnd(Math.ceil(data.length / 4) * 4));
  const packet = Buffer.alloc(12 + 20 + 4 + body.length);
  packet.writeUInt16BE(from, 0);
  packet.writeUInt16BE(to, 2);
  packet.writeUInt32BE(answers ?? 0, 4);
  packet.writeUInt8(answers === undefined ? 1 : 2, 12);
  packet.writeUInt16BE(packet.length - 12, 14);
  packet.writeUInt32BE(tag, 16);
  packet.writeUInt32BE(0xffff, 20);
  packet.writeUInt32BE(0x00010001, 24);
  packet.writeUInt32BE(1, 28);
  packet.writeUInt16BE(0x8fff, 32);
  packet.writeUInt16BE(4 + body.length, 34);
  packet.set(body, 36);
  packet.writeUInt32LE(castagnoli(packet), 8);
  return packet;
}

export interface Segment {
  readonly source: string;
  readonly destination: string;
  readonly from: number;
  readonly to: number;
  readonly sequence: number;
  readonly acknowledgement?: number;
  readonly flags: number;
  readonly data?: string;
  /** What its sender announces as the largest that it takes (RFC 9293, 3.2), in bytes. */
  readonly maxSegment?: number;
}

export const TCP = { fin: 1, syn: 2, rst: 4, push: 8, ack: 16 } as const;

/** A whole packet with a TCP segment, whose checksum covers both. */
export function tcp(segment: Segment): Buffer {
  const { source, destination, from, to, sequence, acknowledgement = 0, flags, data = '' } = segment;
  const { maxSegment } = segment;
  const header = Buffer.alloc(maxSegment === undefined ? 20 : 24);
  header.writeUInt16BE(from, 0);
  header.writeUInt16BE(to, 2);
  header.writeUInt32BE(sequence >>> 0, 4);
  header.writeUInt32BE(acknowledgement >>> 0, 8);
  header.writeUInt16BE((header.length << 10) | flags, 12);
  header.writeUInt16BE(0xffff, 14);
  if (maxSegment !== undefined) header.set([2, 4, maxSegment >> 8, maxSegment & 255], 20);
  const body = Buffer.concat([header, Buffer.from(data)]);
  body.writeUInt16BE(transportChecksum(source, destination, PROTOCOL.tcp, body), 16);
  return packet(source, destination, 'tcp', body);
}

/** ICMP (RFC 792): `rest` is the second word of its header. */
export function icmp(type: number, code: number, rest: readonly number[], data: Uint8Array | string): Buffer {
  const message = Buffer.concat([Buffer.from([type, code, 0, 0, ...rest]), Buffer.from(data)]);
  message.writeUInt16BE(checksum(message), 2);
  return message;
}

/** A ping, and its like in ICMPv6 (RFC 4443, 4.1), which goes into an IPv6 packet. */
export const echoRequest = (data: string): Buffer => icmp(8, 0, [0x12, 0x34, 0, 1], data);
export const echoRequest6 = (data: string): Buffer => icmp(128, 0, [0x12, 0x34, 0, 1], data);

/** What a forger must know of a TCP flow, read off a frame: its ends, and the next sequence number each way. */
export function segmentOf(frame: Buffer): Segment | undefined {
  const six = frame.readUInt16BE(12) === 0x86dd;
  if (frame[six ? 20 : 23] !== PROTOCOL.tcp) return undefined;
  const packet = frame.subarray(14, 14 + (six ? 40 + frame.readUInt16BE(18) : frame.readUInt16BE(16)));
  const at = six ? 40 : ((packet[0] ?? 0) & 15) * 4;
  const ends = six ? [8, 24, 40] : [12, 16, 20];
  const data = packet.subarray(at + ((packet[at + 12] ?? 0) >> 4) * 4);
  return {
    source: addressOf(packet.subarray(ends[0], ends[1])),
    destination: addressOf(packet.subarray(ends[1], ends[2])),
    from: packet.readUInt16BE(at),
    to: packet.readUInt16BE(at + 2),
    sequence: packet.readUInt32BE(at + 4) + data.length,
    acknowledgement: packet.readUInt32BE(at + 8),
    flags: packet[at + 13] ?? 0,
    ...(packet[at + 20] === 2 &&
      (packet[at + 12] ?? 0) >> 4 > 5 && { maxSegment: packet.readUInt16BE(at + 22) }),
  };
}

/** An ARP request (RFC 826) for everybody on the wire: who has `target`, tell `sender`. */
export const arpRequest = (from: string, sender: string, target: string): Buffer =>
  Buffer.from([
    ...mac(BROADCAST_MAC),
    ...mac(from),
    ...[8, 6, 0, 1, 8, 0, 6, 4, 0, 1],
    ...[...mac(from), ...octets(sender)],
    ...[0, 0, 0, 0, 0, 0, ...octets(target)],
  ]);

/** A client without an address looks for servers (RFC 2131, 4.4.1), each time as another one. */
export function discover(mac: string, number: number): Buffer {
  const fixed = Buffer.alloc(236);
  fixed.set([1, 1, 6, 0, 0x68, 0x6e, number >> 8, number & 255]);
  fixed.set([2, 0, 0, 0, number >> 8, number & 255], 28);
  const message = Buffer.concat([fixed, Buffer.from([99, 130, 83, 99, 53, 1, 1, 255])]);
  return ethernet(BROADCAST_MAC, mac, ipv4('0.0.0.0', '255.255.255.255', 'udp', udp(68, 67, message)));
}
