/** Neighbour discovery, which IPv6 has in the place of ARP. */
import type { Match } from './rules.ts';

/** ICMPv6 messages (RFC 4861, 4): solicitations of routers and neighbours, advertisements, redirects. */
export const ND = {
  routers: 133,
  advertisement: 134,
  neighbours: 135,
  neighbour: 136,
  redirect: 137,
} as const;

export const icmpTypes = (...types: number[]): Match => ({ is: 'icmp-types', types });
