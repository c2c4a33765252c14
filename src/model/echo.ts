/** An ICMPv6 echo (RFC 4443, 4) as a whole Ethernet frame, for an address that the host doesn't have. */
import type { Prefix } from './prefix.ts';

const [ETHERTYPE, ICMPV6, HOPS] = [0x86dd, 58, 64];
const [REQUEST, REPLY] = [128, 129];
const [ETHERNET, HEADER, ECHO] = [14, 40, 16];

export interface Ends {
  readonly source: Prefix;
  readonly destination: Prefix;
  readonly sourceMac: string;
  readonly destinationMac: string;
}

/** The request, to be sent as it is. */
export function echoRequest({ source, destination, sourceMac, destinationMac }: Ends): Buffer {
  const frame = Buffer.alloc(ETHERNET + HEADER + ECHO);
  frame.set(macBytes(destinationMac), 0);
  frame.set(macBytes(sourceMac), 6);
  frame.writeUInt16BE(ETHERTYPE, 12);
  frame.writeUInt32BE(0x60000000, ETHERNET);
  frame.writeUInt16BE(ECHO, ETHERNET + 4);
  frame.set([ICMPV6, HOPS], ETHERNET + 6);
  frame.set(addressBytes(source), ETHERNET + 8);
  frame.set(addressBytes(destination), ETHERNET + 24);
  frame.writeUInt8(REQUEST, ETHERNET + HEADER);
  frame.write('hnet', ETHERNET + HEADER + 4);
  frame.writeUInt16BE(checksum(frame.subarray(ETHERNET)), ETHERNET + HEADER + 2);
  return frame;
}

/** Whether a frame is an answer to somebody's echo, for this address. */
export const isEchoReply = (frame: Buffer, address: Prefix): boolean =>
  frame.length >= ETHERNET + HEADER + ECHO &&
  frame.readUInt16BE(12) === ETHERTYPE &&
  frame[ETHERNET + 6] === ICMPV6 &&
  frame[ETHERNET + HEADER] === REPLY &&
  frame.subarray(ETHERNET + 24, ETHERNET + HEADER).equals(addressBytes(address));

const macBytes = (mac: string): Buffer => Buffer.from(mac.replaceAll(':', ''), 'hex');
const addressBytes = ({ first }: Prefix): Buffer => Buffer.from(first.toString(16).padStart(32, '0'), 'hex');

/** Of the addresses, the length, the protocol and the message (RFC 8200, 8.1). */
function checksum(packet: Buffer): number {
  let sum = ECHO + ICMPV6;
  for (let at = 8; at < packet.length; at += 2) sum += packet.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
