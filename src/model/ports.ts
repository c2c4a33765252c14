/** Protocols and ports, as rules and the configuration name them. */

/** The protocols that have a word, with their numbers in IPv4 (IANA, "Protocol Numbers"); ICMP of IPv6 is 58. */
const NUMBERS = { icmp: 1, ipip: 4, tcp: 6, udp: 17, gre: 47, esp: 50, ah: 51, sctp: 132 } as const;

type Word = keyof typeof NUMBERS;
const WORDS = Object.keys(NUMBERS) as Word[];

/** A number only where there is no word for it: so each protocol is written in one way. */
export type Protocol = Word | number;

/** Those whose packets name ports. */
export const WITH_PORTS = ['tcp', 'udp', 'sctp'] as const;
type PortProtocol = (typeof WITH_PORTS)[number];

export const hasPorts = (protocol: Protocol): protocol is PortProtocol =>
  WITH_PORTS.some(one => one === protocol);

/** Reads `gre` or `47`, which is the same; undefined for what is no protocol. */
export function readProtocol(text: string): Protocol | undefined {
  const number = /^(0|[1-9]\d{0,2})$/.test(text) ? Number(text) : undefined;
  const word = WORDS.find(one => one === text || NUMBERS[one] === number);
  return word ?? (number !== undefined && number <= 255 ? number : undefined);
}

/** Its number, in the header that carries it; ICMP has one for each family. */
export const numberOf = (protocol: Exclude<Protocol, 'icmp'>): number =>
  typeof protocol === 'number' ? protocol : NUMBERS[protocol];

/** What a rule may name, for messages. */
export const PROTOCOL_WORDS = `${WORDS.join(', ')}, any or a number up to 255`;

/** First and last port, both included. */
export type PortRange = readonly [number, number];

/** A range in words: `22`, `4000-4010`. */
export const formatPorts = ([first, final]: PortRange): string =>
  first === final ? String(first) : `${first}-${final}`;

/** Some ports of one protocol. */
export interface Ports {
  readonly protocol: PortProtocol;
  readonly ranges: readonly PortRange[];
}
