/** What stands on the host, as values: links, routes, servers, our filter and other people's. */
import type { Counter } from './counter.ts';
import type { PortRange } from './ports.ts';
import type { Family, Prefix } from './prefix.ts';

export interface Link {
  readonly index: number;
  readonly alias: string;
  readonly group: number;
  /** `bridge`, `veth`, `tun` …; empty for hardware. */
  readonly kind: string;
  readonly mac: string;
  /** The largest packet that it takes, in bytes. */
  readonly mtu: number;
  readonly up: boolean;
  /** Whether somebody is at its other end, as far as the kernel knows; a link that is down has none. */
  readonly carrier: boolean;
  /** Whether the host asks and answers on it who has an address. */
  readonly arp: boolean;
  readonly master: string | undefined;
  readonly bridge: BridgeSettings | undefined;
  /** What its bridge does with what goes to it and comes from it; undefined: it is in no bridge. */
  readonly port: PortSettings | undefined;
}

/** What can keep a port from its bridge. Older kernels don't know all of them, and do as by default. */
export interface PortSettings {
  /** `forwarding`; every other one lets nothing through. */
  readonly state: string;
  /** Whether it gets packets of which the bridge doesn't know where they go: with one port, and nothing learnt, all of them. */
  readonly flood: boolean;
  readonly mcastFlood: boolean;
  readonly bcastFlood: boolean;
  /** Whether only what the bridge's table names may come from it. */
  readonly locked: boolean;
  /** Whether the bridge answers for it, and sends it nothing by flooding. */
  readonly proxyArp: boolean;
}

/** The settings that we give our bridges; times in the kernel's own centiseconds. */
interface BridgeSettings {
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
  readonly gateway: Prefix | undefined;
  readonly protocol: string;
  readonly metric: number;
  /** Where it has several next hops; then it has no one device and gateway. */
  readonly hops?: readonly Hop[];
}

export interface Hop {
  readonly dev: string | undefined;
  readonly gateway: Prefix | undefined;
}

/** One line of `ip rule`. */
export interface RoutingRule {
  readonly family: Family;
  readonly preference: number;
  /** Its conditions and what it does, in the words of `ip rule`: `from 10.0.0.0/8 lookup 100`. */
  readonly words: string;
  readonly isOurs: boolean;
}

/** How routes are chosen: all rules of both families, and what our own tables hold. */
export interface Policy {
  readonly rules: readonly RoutingRule[];
  readonly own: readonly { readonly table: number; readonly route: Route }[];
}

export interface DhcpServer {
  readonly pid: number;
  /** The interface its socket is bound to; `if7` where that interface is gone. */
  readonly boundTo: string;
  /** Whether its pid file names it: a release goes by that. */
  readonly noted: boolean;
  /** Further servers of ours on the same bridge, where there should be one. */
  readonly rivals: readonly number[];
  /** The text of the configuration it was started with. */
  readonly configuration: string;
}

/** A rule as the backend's tool prints it, without its counter. */
export interface RuleLine {
  readonly text: string;
  readonly counter: Counter;
}

/** A set's entries, as {@link formatLong} writes them, and what they counted; `unread` if it is only known to exist. */
export type Contents = ReadonlyMap<string, Counter> | 'unread';

/** What made a chain, and hence may change it: iptables can't read a table of its own into which nft wrote. */
export type Tool = 'nft' | 'iptables-nft' | 'iptables-legacy';

/**
 * Where others see the packets that a domain needs: its forwarded traffic, DHCP at the host, both ways; and where they may
 * translate its sources.
 */
export type Point = 'forward' | 'input' | 'output' | 'postrouting';

/** What a rule of somebody else requires of a packet, as far as it matters here. */
export type Condition =
  /** One of these interfaces, as they are written: `eth0`, `virbr*`. */
  | { readonly is: 'device'; readonly names: readonly string[] }
  | { readonly is: 'family'; readonly families: readonly Family[] }
  | { readonly is: 'addresses'; readonly prefixes: readonly Prefix[] }
  | { readonly is: 'protocol'; readonly names: readonly string[] }
  | { readonly is: 'ports'; readonly ranges: readonly PortRange[] }
  /** What most packets have, such as not being from one address. */
  | { readonly is: 'common' }
  /** What only some packets have, such as a mark; and whatever hnet doesn't know. */
  | { readonly is: 'particular' }
  /** All conditions of one of these. */
  | { readonly is: 'either'; readonly of: readonly (readonly Condition[])[] };

/**
 * What a rule does with a packet: `block` takes it away from the domain or, at `postrouting`, its source from it; `any`: it
 * goes to any of the table's chains.
 */
export type Effect =
  | 'pass'
  | 'accept'
  | 'block'
  | 'return'
  /** `leaves`: a packet that comes back from there has left the chain of the rule, too (goto). */
  | { readonly chains: readonly string[] | 'any'; readonly leaves?: true }
  /** To a program, on one of these queues; to nobody, where none listens. */
  | { readonly queues: PortRange };

export interface ForeignRule {
  readonly conditions: readonly Condition[];
  readonly effect: Effect;
  /** nft's handle; iptables numbers its rules. */
  readonly handle?: number;
  /** The rule is an accept of ours, in its tool's words. */
  readonly passage?: string;
}

export interface ForeignChain {
  readonly base?: { readonly point: Point; readonly drops: boolean; readonly priority: number };
  /** Of a chain of nft's that filters: its hook, its policy, and the interfaces that it is bound to, if it is. */
  readonly filters?: { readonly hook: string; readonly drops: boolean; readonly devices: readonly string[] };
  readonly rules: readonly ForeignRule[];
}

export interface ForeignTable {
  readonly by: Tool;
  readonly family: string;
  readonly name: string;
  /** It filters nothing. */
  readonly isDormant: boolean;
  readonly chains: ReadonlyMap<string, ForeignChain>;
}

/** A chain of somebody else's that lets nothing pass, at a hook where nothing of ours can lead around it. */
export interface Cut {
  /** In nft's words: `bridge filter`. */
  readonly table: string;
  readonly chain: string;
  readonly families: readonly Family[];
  /** By which interfaces, as they are written (`vnet*`); undefined: by any. */
  readonly devices: readonly string[] | undefined;
}

/** A policy of IPsec that may take any packet between its ranges. */
export interface IpsecPolicy {
  readonly from: Prefix;
  readonly to: Prefix;
  /** `in`, `out` or `fwd`. */
  readonly direction: string;
  /** The smallest comes first. */
  readonly priority: number;
  /** Where it is for one interface alone. */
  readonly device: string | undefined;
  /** `wrap`: it puts packets into a tunnel, and takes none that haven't come by it. */
  readonly does: 'block' | 'wrap' | 'pass';
  /** As `ip xfrm policy` names it. */
  readonly words: string;
}

export interface ForeignFilters {
  readonly tables: readonly ForeignTable[];
  /** Undefined if not read. */
  readonly cuts?: readonly Cut[];
  /** Whether all were read, or only what is read together with our own table. */
  readonly complete: boolean;
  /** What firewalld would flush when it reloads: restore commands with their input. Only where it runs. */
  readonly carry: readonly { readonly argv: readonly string[]; readonly text: string }[];
}

export interface FilterView {
  readonly sets: ReadonlyMap<string, Contents>;
  /** `table chain` → its rules in order. */
  readonly chains: ReadonlyMap<string, readonly RuleLine[]>;
  /** Undefined if not read. */
  readonly foreign?: ForeignFilters;
  /** `family chain` of nft's tables that hold budgets → its rules. Undefined if not read, or where there is no nft. */
  readonly budgets?: FilterView['chains'] | undefined;
}

/** A set's entries with their counters; none where it wasn't read. */
export function entriesOf({ sets }: Pick<FilterView, 'sets'>, name: string): ReadonlyMap<string, Counter> {
  const contents = sets.get(name);
  return contents === undefined || contents === 'unread' ? new Map() : contents;
}

/** The state of the host. Resources compare themselves with it; nothing that probes runs a command of its own. */
export interface View {
  readonly links: ReadonlyMap<string, Link>;
  /** Interface → its addresses with their lengths (`172.30.116.1/24`). */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  /** The main table, by {@link routeKey}. */
  readonly routes: ReadonlyMap<string, Route>;
  /** Routes that people or programs configured, in any table; without those of routing protocols. Undefined if not read. */
  readonly configured?: readonly Route[];
  /** Undefined if not read. */
  readonly policy?: Policy;
  readonly filter: FilterView;
  /** Undefined if not read. */
  readonly ipsec?: readonly IpsecPolicy[];
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
