import { INTERNET, isIpv6 } from '../lab/site.ts';
import { icmp, numbered, packet, sctp, TCP, tcp, udp } from './packets.ts';
import type { Wire } from './wire.ts';

/** A number means a packet of that protocol with nothing that its own program would understand. */
type Protocol = 'tcp' | 'udp' | 'icmp' | 'sctp' | number;
let made = 0;

/** One end of the way that a packet is to take. */
export interface End {
  readonly wire: Wire;
  readonly ip: string;
}

/**
 * Tells whether the first packet of a flow passes between two ends. An ICMP error follows it on the same way, which
 * every policy lets through: when that has arrived, the packet would have too.
 */
export async function passes(
  from: End,
  to: End,
  protocol: Protocol,
  port = 0,
  options: { readonly source?: string } = {},
): Promise<boolean> {
  made += 1;
  const [word, follower] = [`probe ${made};`, `follower ${made};`];
  from.wire.send(opening(options.source ?? from.ip, to.ip, protocol, port, word));
  from.wire.send(packet(from.ip, to.ip, 'icmp', icmpError(to.ip, from.ip, follower)));
  await to.wire.until(follower);
  const passed = to.wire.count(word) > 0;
  to.wire.forget();
  return passed;
}

/** A packet that opens a flow, never the same one twice. */
function opening(
  source: string,
  destination: string,
  protocol: Protocol,
  port: number,
  word: string,
): Buffer {
  const own = 20_000 + (made % 20_000);
  switch (protocol) {
    case 'tcp':
      return tcp({ source, destination, from: own, to: port, sequence: made, flags: TCP.syn, data: word });
    case 'udp':
      return packet(source, destination, 'udp', udp(own, port, word));
    case 'sctp':
      return numbered(source, destination, 132, sctp(own, port, made, word));
    case 'icmp':
      return packet(
        source,
        destination,
        'icmp',
        icmp(isIpv6(source) ? 128 : 8, 0, [own >> 8, own & 255, 0, 1], word),
      );
    default:
      return numbered(source, destination, protocol, Buffer.from(`\0\0\0\0${word}`));
  }
}

/** "Fragmentation needed" (RFC 1191), "packet too big" (RFC 4443, 3.2), quoting a datagram of the receiver's. */
export function icmpError(about: string, to: string, word: string): Buffer {
  const quoted = packet(about, to, 'udp', udp(4000, 4000, word));
  return isIpv6(to) ? icmp(2, 0, [0, 0, 5, 0], quoted) : icmp(3, 4, [0, 0, 5, 0], quoted);
}

/** The Internet, under whatever address. */
export const outside = (wire: Wire, ip = INTERNET): End => ({ wire, ip });
