/** How the provider hands a host its addresses. */
export interface SiteOptions {
  /** What the provider routes to the host: prefixes and single addresses of both families. */
  readonly pools?: readonly string[];
  /** `on-link`: the provider looks for pool addresses by ARP, or neighbour discovery, instead of routing them. */
  readonly ipv4?: 'routed' | 'on-link';
  readonly ipv6?: 'routed' | 'on-link';
  /** How the host's own address is configured: with a peer, as ifupdown's `pointopoint`, or with an on-link route. */
  readonly addressing?: 'pointopoint' | 'on-link';
}

/** Everything that is known about a host before it exists: a pure function of its name. */
export interface Site {
  readonly name: string;
  readonly address: string;
  readonly address6: string;
  readonly mac: string;
  /** What the kernel makes of that MAC: the provider's next hop for routed IPv6. */
  readonly linkLocal: string;
  readonly pools: readonly string[];
  readonly ipv4: 'routed' | 'on-link';
  readonly ipv6: 'routed' | 'on-link';
  readonly addressing: 'pointopoint' | 'on-link';
}

export const GATEWAY = '123.45.12.1';
export const GATEWAY6 = 'fe80::1';
export const INTERNET = '123.45.200.10';
export const INTERNET6 = '2001:db8:ffff::10';

/** h1 is 123.45.12.48 and holds the pools of the documentation, h2 is 123.45.12.49 with its own, and so on. */
export function siteOf(name: string, options: SiteOptions = {}): Site {
  const number = Number(/^h([1-9]\d?)$/.exec(name)?.[1] ?? Number.NaN);
  if (Number.isNaN(number)) throw new Error(`Cannot place "${name}": hosts are called h1, h2, … h99`);
  const octet = 47 + number;
  const tail = octet.toString(16).padStart(2, '0');
  return {
    name,
    address: `123.45.12.${octet}`,
    address6: `2001:db8:12:${octet}::2`,
    mac: `52:54:00:12:00:${tail}`,
    linkLocal: `fe80::5054:ff:fe12:${Number.parseInt(tail, 16).toString(16)}`,
    pools: options.pools ?? poolsOf(number, octet),
    ipv4: options.ipv4 ?? 'routed',
    ipv6: options.ipv6 ?? 'routed',
    addressing: options.addressing ?? 'pointopoint',
  };
}

function poolsOf(number: number, octet: number): string[] {
  const single = number === 1 ? [11, 12, 13] : [number * 10 + 1, number * 10 + 2, number * 10 + 3];
  return [
    `123.45.${89 + number}.112/29`,
    ...single.map(last => `123.45.53.${last}`),
    `2001:db8:12:${octet}::/64`,
    `2001:db8:12:${(0x48 + number).toString(16)}00::/56`,
  ];
}

export function isIpv6(address: string): boolean {
  return address.includes(':');
}
