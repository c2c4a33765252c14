/** Frames of the protocols by which neighbours find each other, read as values; pure. questions.ts writes them. */

import { formatAddress } from '../model/address.ts';
import { CALLER } from '../model/names.ts';
import type { Family } from '../model/prefix.ts';

/** What a frame says. Addresses and MACs are texts in their canonical form. */
export type Message =
  /** "Who has `target`? Tell `sender`." */
  | { readonly is: 'question'; readonly sender: string; readonly target: string }
  /** "`sender` is here." */
  | { readonly is: 'answer'; readonly sender: string }
  | ({ readonly is: 'ping' } & Echo)
  | ({ readonly is: 'pong' } & Echo)
  /** A port's answer to a call: somebody listens on it, or nobody does. */
  | { readonly is: 'accepted' | 'refused'; readonly source: string; readonly port: number }
  /** `address` is what the client asks for or the server hands out; undefined where the message names none. */
  | { readonly is: 'dhcp'; readonly by: 'client' | 'server'; readonly address: string | undefined };

/** An echo request or its reply (RFC 792; RFC 4443, 4). */
export interface Echo {
  readonly source: string;
  readonly destination: string;
  readonly id: number;
}

export const [ARP, IPV4, IPV6] = [0x0806, 0x0800, 0x86dd];
export const [ICMP, TCP, UDP, ICMPV6] = [1, 6, 17, 58];
export const PING: Readonly<Record<Family, number>> = { 4: 8, 6: 128 };
const PONG: Readonly<Record<Family, number>> = { 4: 0, 6: 129 };
/** RFC 4861, 4.3 and 4.4. */
export const [SOLICITATION, ADVERTISEMENT] = [135, 136];

export const macText = (bytes: Uint8Array): string =>
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
  if (packet[9] === TCP) return readAnswer(payload, addressText(ends.source));
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

/** Flags of TCP (RFC 9293, 3.1). */
const [SYN, RESET, ACK] = [2, 4, 16];

function readAnswer(segment: Uint8Array, source: string): Message | undefined {
  if (segment.length < 20 || half(segment, 2) !== CALLER) return undefined;
  const [port, flags] = [half(segment, 0), segment[13] ?? 0];
  if ((flags & RESET) !== 0) return { is: 'refused', source, port };
  return (flags & (SYN | ACK)) === (SYN | ACK) ? { is: 'accepted', source, port } : undefined;
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
