/** How large packets are: those of the bridges, and of what leaves by the uplink. In bytes, with the IP header. */
import type { Family } from './prefix.ts';

/** Of Ethernet (RFC 894); a system that nobody told otherwise has it. */
export const USUAL_MTU = 1500;

/** The least is that of IPv6 (RFC 8200, 5), without which the kernel switches it off; the most that of jumbo frames. */
export const MTU_RANGE = { least: 1280, most: 9216 } as const;

/** The MTU of a bridge, where nothing but the uplinks say what it is. */
export const bounded = (mtu: number): number => Math.min(MTU_RANGE.most, Math.max(MTU_RANGE.least, mtu));

/** That of one bridge, where the domain's definition gives an interface on it a smaller one. */
export const narrowed = (mtu: number, own: number | undefined): number =>
  own === undefined ? mtu : Math.max(MTU_RANGE.least, Math.min(mtu, own));

/** IP and TCP headers without options (RFC 6691). */
const HEADERS: Readonly<Record<Family, number>> = { 4: 40, 6: 60 };

/** The largest TCP segment that fits into packets of a size. */
export const segmentOf = (family: Family, mtu: number): number => mtu - HEADERS[family];
