/** Protocols and ports, as rules and the configuration name them. */
export type Protocol = 'tcp' | 'udp' | 'icmp';

/** First and last port, both included. */
export type PortRange = readonly [number, number];

/** Some ports of one protocol. */
export interface Ports {
  readonly protocol: 'tcp' | 'udp';
  readonly ranges: readonly PortRange[];
}
