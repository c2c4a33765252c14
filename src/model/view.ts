import type { Strangers } from '../firewall/foreign/obstacles.ts';
import { formatLong, type Prefix } from './address.ts';

/** A network interface as the kernel reports it. */
export interface Link {
  readonly index: number;
  readonly alias: string;
  readonly group: number;
  /** `bridge`, `veth`, `tun` …; empty for hardware. */
  readonly kind: string;
  readonly mac: string;
  readonly up: boolean;
  readonly master: string | undefined;
  readonly bridge: BridgeSettings | undefined;
}

/** The settings that we give our bridges; times in the kernel's own centiseconds. */
export interface BridgeSettings {
  readonly stp: number;
  readonly forwardDelay: number;
  readonly ageingTime: number;
  readonly mcastSnooping: number;
}

export interface Route {
  readonly prefix: Prefix;
  /** `unicast`, `blackhole`, `unreachable` … */
  readonly type: string;
  readonly dev: string | undefined;
  readonly protocol: string;
  readonly metric: number;
}

/** A DHCP server of ours that is alive. */
export interface DhcpServer {
  readonly pid: number;
  /** The interface its socket is bound to; `if7` where that interface is gone. */
  readonly boundTo: string;
  /** Further servers of ours on the same bridge, where there should be one. */
  readonly rivals: readonly number[];
  /** The text of the configuration it was started with. */
  readonly configuration: string;
}

/** Packets and bytes that the kernel counted. */
export interface Counter {
  readonly packets: bigint;
  readonly bytes: bigint;
}

/** A rule as the backend's tool prints it, without its counter. */
export interface RuleLine {
  readonly text: string;
  readonly counter: Counter;
}

/**
 * A set's entries, as {@link formatLong} writes them, and what they counted; `unread` for a set that is known to exist,
 * and no more.
 */
export type Contents = ReadonlyMap<string, Counter> | 'unread';

/** What stands in the packet filter, ours and others'. */
export interface FilterView {
  readonly sets: ReadonlyMap<string, Contents>;
  /** `table chain` → its rules in order. */
  readonly chains: ReadonlyMap<string, readonly RuleLine[]>;
  /** What others filter; left out where it wasn't read, and nothing is known against it. */
  readonly strangers?: Strangers;
}

/**
 * What is: the state of the host, read in a constant number of processes however many domains there are.
 * Resources compare themselves with it; nothing that probes runs a command of its own.
 */
export interface View {
  readonly links: ReadonlyMap<string, Link>;
  /** Interface → its addresses with their lengths (`172.30.116.1/24`). */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  /** The main table, by {@link routeKey}. */
  readonly routes: ReadonlyMap<string, Route>;
  readonly filter: FilterView;
  /** Addresses that the kernel answers for in our name on an interface, as a neighbour's proxy: `ADDRESS DEVICE` each. */
  readonly proxies: ReadonlySet<string>;
  /** Bridge → the DHCP server on it. */
  readonly dhcp: ReadonlyMap<string, DhcpServer>;
  /** Bridge → the configuration of the responder that answers for its prefixes on the uplink. */
  readonly ndp: ReadonlyMap<string, string>;
  /** The value of a file in /proc/sys, or another short text on the host; undefined if there is none. */
  readonly sysctl: (path: string) => string | undefined;
}

/** A host on which nothing of ours stands: what a plan is printed against, and a fresh start begins with. */
export const EMPTY_VIEW: View = {
  links: new Map(),
  addresses: new Map(),
  routes: new Map(),
  filter: { sets: new Map(), chains: new Map() },
  proxies: new Set(),
  dhcp: new Map(),
  ndp: new Map(),
  sysctl: () => undefined,
};

/** Routes of one prefix differ by their metric; the better one wins, the other waits. */
export const routeKey = (prefix: Prefix, metric: number): string => `${formatLong(prefix)} ${metric}`;
