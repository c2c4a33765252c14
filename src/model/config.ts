/** The operator's settings; parse-config.ts makes them of hnet.toml. */
import type { DhcpMode } from './dhcp-mode.ts';
import type { Ports } from './ports.ts';
import type { Family, Prefix } from './prefix.ts';
import type { Refusal } from './refusal.ts';

/**
 * The uplink that a filter was made for. As long as that filter stands, nothing but the configuration moves it: not a
 * better default route, and not an interface that is gone for a while.
 */
export interface UplinkInForce {
  readonly device: string;
  /** The host's address there, which stands for the bootstrap leases. */
  readonly host: Prefix;
  readonly gateway: Prefix | undefined;
  readonly gateway6: Prefix | undefined;
}

/** What is undefined is read from the host's default route. */
export interface Config {
  readonly pools: readonly Prefix[];
  readonly uplink: string | undefined;
  readonly host: Prefix | undefined;
  readonly gateway: Prefix | undefined;
  /** How the provider hands over IPv6: it routes the pools here, or looks for their addresses on the uplink's wire. */
  readonly ipv6: 'routed' | 'on-link';
  readonly dhcp: DhcpConfig;
  readonly firewall: FirewallConfig;
  /** The uplink of the filter that stands, as its file says; undefined where none stands. */
  readonly inForce: UplinkInForce | undefined;
  /** What to say of a value that turns out not to fit the host: with file, line and key. */
  readonly fault: (key: FaultyKey, value: string, why: string) => Refusal;
}

/** The keys whose values the host itself may contradict. */
export type FaultyKey = 'pools' | 'uplink' | 'dhcp.scopes';

export interface DhcpConfig {
  /** What a domain gets whose assignment doesn't say. */
  readonly mode: DhcpMode;
  readonly scopes: readonly Prefix[];
  readonly dns: readonly Prefix[];
  readonly domain: string;
  /** Lease time in seconds. */
  readonly lease: number;
}

interface FirewallConfig {
  readonly backend: Backend | 'auto';
  readonly betweenDomains: boolean;
  /** Destination ports that no domain reaches, outside or at its neighbours. */
  readonly outboundDeny: readonly Ports[];
  /** What domains reach on the host itself. */
  readonly hostAccess: 'open' | 'dhcp-only';
}

/** The tools that hnet's filter can be made with. */
export const BACKENDS = ['iptables', 'nftables'] as const;
export type Backend = (typeof BACKENDS)[number];

/** All addresses that the configuration gives to domains, in one family. */
export const rangesOf = (family: Family, { pools, dhcp }: Config): Prefix[] =>
  [...pools, ...dhcp.scopes].filter(range => range.family === family);
