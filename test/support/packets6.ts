/** IPv6 packets as bytes, made by hand (RFC 8200), and the messages of neighbour discovery (RFC 4861). */
import { octets, transportChecksum } from './octets.ts';

export interface Ip6Options {
  readonly hopLimit?: number;
  /** Between the header and what it carries, in this order. */
  readonly extensions?: readonly Extension[];
}

/** An extension header: its number, and its bytes without the first, which says what follows. */
export interface Extension {
  readonly is: number;
  readonly bytes: readonly number[];
}

const PROTOCOL = { icmp: 58, tcp: 6, udp: 17 } as const;
/** Where each has its checksum. */
const SEAL = { icmp: 2, tcp: 16, udp: 6 } as const;

/** @param payload with its checksum left out, or wrong */
export function ipv6(
  source: string,
  destination: string,
  protocol: keyof typeof PROTOCOL,
  payload: Uint8Array,
  options: Ip6Options = {},
): Buffer {
  const body = Buffer.from(payload);
  body.writeUInt16BE(0, SEAL[protocol]);
  body.writeUInt16BE(transportChecksum(source, destination, PROTOCOL[protocol], body), SEAL[protocol]);
  return bare6(source, destination, PROTOCOL[protocol], body, options);
}

/** The same with any bytes as payload, such as a piece of a datagram. */
export function bare6(
  source: string,
  destination: string,
  protocol: number,
  payload: Uint8Array,
  { hopLimit = 64, extensions = [] }: Ip6Options = {},
): Buffer {
  const follows = [...extensions.map(({ is }) => is), protocol];
  const headers = extensions.flatMap(({ bytes }, index) => [follows[index + 1] ?? 0, ...bytes]);
  const fixed = Buffer.alloc(8);
  fixed.writeUInt8(0x60, 0);
  fixed.writeUInt16BE(headers.length + payload.length, 4);
  fixed.writeUInt8(follows[0] ?? 0, 6);
  fixed.writeUInt8(hopLimit, 7);
  return Buffer.concat([
    fixed,
    Buffer.from([...octets(source), ...octets(destination), ...headers]),
    payload,
  ]);
}

/** Nothing but padding. */
export const HOP_BY_HOP: Extension = { is: 0, bytes: [0, 1, 4, 0, 0, 0, 0] };
export const DESTINATION_OPTIONS: Extension = { is: 60, bytes: [0, 1, 4, 0, 0, 0, 0] };

/** AH (RFC 4302) with nothing to prove. */
export const AUTHENTICATION: Extension = { is: 51, bytes: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] };
/** "No next header": what follows is for nobody (RFC 8200, 4.7). */
export const NOTHING_MORE = 59;

/** "Go on to that address from here": type 0, deprecated for what can be done with it (RFC 5095), and type 2. */
export const routing = (type: 0 | 2, via: string): Extension => ({
  is: 43,
  bytes: [2, type, 1, 0, 0, 0, 0, ...octets(via)],
});

/** @param offset in bytes, of which eight are a unit */
export const fragment = (id: number, offset: number, more: boolean): Extension => ({
  is: 44,
  bytes: [0, offset >> 8, (offset & 0xf8) | (more ? 1 : 0), 0, 0, 0, id],
});

/** ICMPv6 with the hop limit that says: of this wire. */
export const discovery = (source: string, destination: string, message: readonly number[]): Buffer =>
  ipv6(source, destination, 'icmp', Buffer.from(message), { hopLimit: 255 });

const linkLayer = (option: 1 | 2, mac: string): number[] => [
  option,
  1,
  ...mac.split(':').map(part => Number.parseInt(part, 16)),
];

/** @param mac the sender's; without one it has no address yet (duplicate address detection) */
export const neighbourSolicitation = (target: string, mac?: string): number[] => [
  ...[135, 0, 0, 0, 0, 0, 0, 0],
  ...octets(target),
  ...(mac === undefined ? [] : linkLayer(1, mac)),
];

/** Unasked for, and to be believed before what was known. */
export const neighbourAdvertisement = (target: string, mac: string): number[] => [
  ...[136, 0, 0, 0, 0x20, 0, 0, 0],
  ...octets(target),
  ...linkLayer(2, mac),
];

export const routerSolicitation = (mac: string): number[] => [133, 0, 0, 0, 0, 0, 0, 0, ...linkLayer(1, mac)];

/** A router that lives for half an hour, with a /64 to make addresses from (RFC 4861, 4.2 and 4.6.2). */
export const routerAdvertisement = (prefix: string): number[] => [
  ...[134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0],
  ...[3, 4, 64, 0xc0, 0, 0, 14, 16, 0, 0, 14, 16, 0, 0, 0, 0, ...octets(prefix)],
];

/** "For that destination take another gateway", about a packet that the receiver has sent (RFC 4861, 4.5). */
export const redirectTo = (gateway: string, destination: string, about: Uint8Array): number[] => {
  const quoted = [...about, ...Array<number>((8 - (about.length % 8)) % 8).fill(0)];
  return [
    ...[137, 0, 0, 0, 0, 0, 0, 0],
    ...octets(gateway),
    ...octets(destination),
    ...[4, 1 + quoted.length / 8, 0, 0, 0, 0, 0, 0, ...quoted],
  ];
};
