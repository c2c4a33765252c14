/** Addresses as bytes, and what packets of both families are sealed with. */
import { formatAddress } from '../../src/model/address.ts';

/** An address in the order of the wire; IPv6 with `::` or without. */
export function octets(ip: string): number[] {
  if (!ip.includes(':')) return ip.split('.').map(Number);
  const [head = '', tail] = ip.split('::').map(half => half.split(':').filter(group => group !== ''));
  const gap = Array<string>(tail === undefined ? 0 : 8 - head.length - tail.length).fill('0');
  return [...head, ...gap, ...(tail ?? [])].flatMap(group => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}

/** The way back. */
export const addressOf = (bytes: Uint8Array): string =>
  bytes.length === 4 ? bytes.join('.') : formatAddress(6, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));

/** The Internet checksum (RFC 1071). */
export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) + (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** The checksum of SCTP, CRC32c (RFC 9260, appendix A). */
export function castagnoli(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0x82f63b78 : 0);
  }
  return ~sum >>> 0;
}

/** That of a segment with its pseudo header (RFC 9293, 3.1; RFC 8200, 8.1). */
export function transportChecksum(
  source: string,
  destination: string,
  protocol: number,
  payload: Uint8Array,
): number {
  const ends = [...octets(source), ...octets(destination)];
  const length = [payload.length >> 8, payload.length & 255];
  const pseudo =
    ends.length === 8 ? [...ends, 0, protocol, ...length] : [...ends, 0, 0, ...length, 0, 0, 0, protocol];
  return checksum(Buffer.concat([Buffer.from(pseudo), payload]));
}
