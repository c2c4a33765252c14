/** The operator's settings; parse-config.ts makes them of hnet.toml. */
import type { DhcpMode } from './dhcp-mode.ts';
import type { Ports } from './ports.ts';
import type { Family, Prefix } from './prefix.ts';
import type { Refusal } from './refusal.ts';

/**
 * An uplink that a filter was made for. As long as that filter stands, nothing but the configuration moves it: not a better
 * default route, and not an interface that is gone for a while.
 */
export interface UplinkInForce {
  readonly device: string;
  /** The host's IPv4 address there, which stands for the bootstrap leases; undefined where it has none. */
  readonly host: Prefix | undefined;
  readonly gateway: Prefix | undefined;
  readonly gateway6: Prefix | undefined;
  /** The largest packet that goes out by it, in bytes: by the interface, and by the default routes. */
  readonly mtu: number;
  /** Nothing leads to the Internet yet, so nobody knows whether this one will: a boot came before the network. */
  readonly awaited?: true;
}

/** The same, and the tool that the filter was made with: so it is known to work in this kernel. */
export interface InForce extends UplinkInForce {
  readonly backend?: Backend | undefined;
}

/** How the provider hands addresses over: it routes them here, or looks for them on the uplink's wire. */
export type Delivery = 'routed' | 'on-link';

/** A way to the Internet as the configuration writes it. What is missing is read from the host. */
export interface UplinkSettings {
  /** Where the settings stand in hnet.toml: empty for those at its top, the main uplink's. */
  readonly path: readonly string[];
  /** Several where they share one way; none where the host's default route tells. */
  readonly devices: readonly string[];
  /** The host's own addresses there, and its gateways: at most one of each family. */
  readonly addresses: readonly Prefix[];
  readonly gateways: readonly Prefix[];
  readonly pools: readonly Prefix[];
  readonly delivery: Readonly<Record<Family, Delivery>>;
  /** What passes there, in bytes, where that is less than the interface takes: a tunnel of the provider's is on the way. */
  readonly mtu: number | undefined;
}

export interface Config {
  /** Those of all uplinks. */
  readonly pools: readonly Prefix[];
  /** The main one first, by which the host's own packets and the bootstrap leases go. */
  readonly uplinks: readonly [UplinkSettings, ...UplinkSettings[]];
  /** Of the bridges, in bytes; undefined: as much as the uplinks take. */
  readonly mtu: number | undefined;
  readonly dhcp: DhcpConfig;
  readonly firewall: FirewallConfig;
  /** How many months the journal and the traffic of each month are kept; the present one counts. */
  readonly history: { readonly months: number };
  /** Undefined where the host is alone. */
  readonly cluster: ClusterSettings | undefined;
  /** The uplinks and the backend of the filter that stands, as its file says; none where none stands. */
  readonly inForce: readonly InForce[];
  /** What to say of a value that turns out not to fit the host: with file, line and key. */
  readonly fault: (path: readonly string[], value: string, why: string) => Refusal;
}

export interface DhcpConfig {
  /** What a domain gets whose assignment doesn't say. */
  readonly mode: DhcpMode;
  readonly scopes: readonly Prefix[];
  readonly dns: readonly Prefix[];
  readonly domain: string;
  /** Lease time in seconds. */
  readonly lease: number;
  readonly boot: Boot;
  /** Time servers, of both families. */
  readonly ntp: readonly Prefix[];
}

/** What boot ROMs are told. */
export interface Boot {
  /** The TFTP server; undefined: the host, at the address that it has on the bridge. */
  readonly server: Prefix | undefined;
  /** What a ROM loads. */
  readonly file: string | undefined;
  /** What iPXE loads. */
  readonly ipxe: string | undefined;
}

interface FirewallConfig {
  readonly backend: Backend | 'auto';
  readonly betweenDomains: boolean;
  /** Destinations that no domain reaches, outside or at its neighbours: ports, or addresses. */
  readonly outboundDeny: readonly (Ports | Prefix)[];
  /**
   * Whether what the Internet doesn't route may leave by the uplink: a list names the ranges that may. Undefined: only where
   * the uplink's own address is such.
   */
  readonly privateDestinations: 'drop' | 'allow' | readonly Prefix[] | undefined;
  /** What domains reach on the host itself. */
  readonly hostAccess: 'open' | 'dhcp-only';
  /** Interfaces to whose networks domains may begin flows. */
  readonly inside: readonly string[];
}

/** How the world outside learns which host has an address now. */
export const ANNOUNCEMENTS = ['on-link', 'bgp', 'command'] as const;

/** The table [cluster] of hnet.toml. */
export interface ClusterSettings {
  readonly name: string;
  /** This host's name among its peers; undefined: what the system calls itself. */
  readonly host: string | undefined;
  /** The wire: the interface on which the hosts reach each other. It may be an uplink as well. */
  readonly wire: string;
  /** This host's addresses there, one of each family at most; empty: those that the interface has. */
  readonly addresses: readonly Prefix[];
  readonly etcd: EtcdSettings;
  readonly announce: (typeof ANNOUNCEMENTS)[number];
  /** Under `announce = "command"`: argv, to which ADDRESS and HOST are added; otherwise empty. */
  readonly command: readonly string[];
  /** Hosts that hand on to all others what each tells them; none: every host tells every other. */
  readonly reflectors: readonly string[];
  /** For how long after its arrival a route is preferred to all others, in seconds. */
  readonly settle: number;
  /** What a start does while etcd is silent: `own` starts what this host has run last. */
  readonly offline: 'own' | 'refuse';
}

export interface EtcdSettings {
  /** URLs, at least one. */
  readonly endpoints: readonly string[];
  /** Paths of PEM files; `cert` and `key` only together. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** The tools that hnet's filter can be made with. */
export const BACKENDS = ['iptables', 'nftables'] as const;
export type Backend = (typeof BACKENDS)[number];

/** All addresses that the configuration gives to domains, in one family. */
export const rangesOf = (family: Family, { pools, dhcp }: Config): Prefix[] =>
  [...pools, ...dhcp.scopes].filter(range => range.family === family);

/** Whether the provider looks for a family's addresses on the wire of any uplink. */
export const isOnLink = (family: Family, { uplinks }: Pick<Config, 'uplinks'>): boolean =>
  uplinks.some(({ delivery }) => delivery[family] === 'on-link');
