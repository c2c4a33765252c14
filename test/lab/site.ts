/** How the provider hands a host its addresses. */
export interface SiteOptions {
  /** What the provider routes to the host: prefixes and single addresses of both families. */
  readonly pools?: readonly string[];
  /** `on-link`: the provider looks for pool addresses by ARP, or neighbour discovery, instead of routing them. */
  readonly ipv4?: 'routed' | 'on-link';
  readonly ipv6?: 'routed' | 'on-link';
  /** How the host's own address is configured: with a peer, as ifupdown's `pointopoint`, or with an on-link route. */
  readonly addressing?: 'pointopoint' | 'on-link';
  /** A second interface, `eth1`, on the wire between hosts. Its uplink passes the same switch, so that both can be cut. */
  readonly wired?: boolean;
  /** Of a wired host: whether its uplink is a cable of its own, or on one layer 2 with the gateway and the other hosts'. */
  readonly uplink?: 'own' | 'shared';
}

/** A machine's end of the wire between hosts. */
export interface WireEnd {
  readonly address: string;
  readonly address6: string;
  readonly mac: string;
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
  readonly wire: WireEnd | undefined;
  /** What the gateway calls the interface that leads to it. */
  readonly downlink: string;
}

/** The gateway's interface where uplinks are shared, and the network of the switch that they are on. */
export const SHARED = 'lan';
export const GATEWAY = '123.45.12.1';
export const GATEWAY6 = 'fe80::1';
export const INTERNET = '123.45.200.10';
export const INTERNET6 = '2001:db8:ffff::10';

/** h1 is 123.45.12.48 and holds the pools of the documentation, h2 is 123.45.12.49 with its own, and so on. */
export function siteOf(name: string, options: SiteOptions = {}): Site {
  const number = Number(/^h([1-9]\d?)$/.exec(name)?.[1] ?? Number.NaN);
  if (Number.isNaN(number)) throw new Error(`Cannot place "${name}": hosts are called h1, h2, … h99`);
  if (options.uplink === 'shared' && options.wired !== true)
    throw new Error(`Cannot place "${name}" on a shared uplink: only wired hosts are on the switch`);
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
    wire: options.wired === true ? wireEnd(number) : undefined,
    downlink: options.uplink === 'shared' ? SHARED : name,
  };
}

/** On the wire h1 is 10.9.0.1 and fd00:9::1, and so on; what has no number of a host's begins at 100. */
export function wireEnd(number: number): WireEnd {
  const tail = number.toString(16).padStart(2, '0');
  return { address: `10.9.0.${number}`, address6: `fd00:9::${number}`, mac: `52:54:00:09:00:${tail}` };
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
