/**
 * The filter as data, for both backends: what they enforce is written once, in ruleset.ts and policy.ts, and a
 * backend only renders it.
 */
import type { Ports, Protocol } from '../../model/ports.ts';
import type { Family, Prefix } from '../../model/prefix.ts';
import type { Action } from '../../resources/action.ts';

export type Side = 'source' | 'destination';
export type TrackingState = 'NEW' | 'ESTABLISHED' | 'RELATED' | 'UNTRACKED';

/** One condition of a rule. */
export type Match =
  /** Entered by, or leaves by, one of our bridges. */
  | { readonly is: 'from-domain' }
  | { readonly is: 'to-domain' }
  | { readonly is: 'from-device' | 'to-device'; readonly device: string }
  /** Matching a set with counters also counts the packet on the entry. */
  | { readonly is: 'set'; readonly name: string; readonly side: Side; readonly not?: true }
  | { readonly is: 'net'; readonly side: Side; readonly prefix: Prefix }
  | { readonly is: 'protocol'; readonly protocol: Protocol }
  /** The destination's ports, where no side is named. */
  | ({ readonly is: 'ports'; readonly side?: Side } & Ports)
  | { readonly is: 'state'; readonly states: readonly TrackingState[] }
  /** Goes the other way than the packet that began its flow. */
  | { readonly is: 'reply' }
  /** A TCP segment that doesn't open a connection. */
  | { readonly is: 'not-opening' }
  /** The source isn't routed back to the interface the packet came from (RFC 3704, strict). */
  | { readonly is: 'spoofed' }
  /** The source is the broadcast address of a subnet of the host. */
  | { readonly is: 'broadcast-source' }
  /** Addressed to the host itself. */
  | { readonly is: 'local' }
  /** A DHCP client without an address asks for one (RFC 2131, 4.1). */
  | { readonly is: 'dhcp-discover' }
  /** Any DHCP message to a server. */
  | { readonly is: 'dhcp-request' }
  /** Any DHCP message to a client. */
  | { readonly is: 'dhcp-reply' }
  | { readonly is: 'icmp-types'; readonly types: readonly number[] }
  /** The bridge has sent more of these lately than the set lets by. */
  | { readonly is: 'flood'; readonly set: string }
  | { readonly is: 'icmp-error' }
  | { readonly is: 'icmp-redirect' };

export type Verdict =
  | { readonly do: 'accept' | 'return' | 'untrack' }
  /** `cause` is what an operator sees beside the number of dropped packets. */
  | { readonly do: 'drop'; readonly cause: string }
  | { readonly do: 'jump' | 'goto'; readonly chain: string }
  | { readonly do: 'translate'; readonly source: Prefix };

export interface Rule {
  readonly when: readonly Match[];
  readonly verdict: Verdict;
}

export interface Chain {
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** Where packets come to us: raw is before connection tracking, nat translates on the way out. */
export type HookPoint =
  | 'raw-prerouting'
  | 'filter-forward'
  | 'filter-input'
  | 'filter-output'
  | 'nat-postrouting';

/** What leads from one of the kernel's hooks into a chain of ours. */
export interface Entrance {
  readonly point: HookPoint;
  readonly when: readonly Match[];
  readonly chain: string;
}

export interface SetSpec {
  readonly name: string;
  readonly counters: boolean;
  /** Entries that end by themselves, in seconds. */
  readonly timeout?: number;
  /** Its entries are bridges, which the filter itself puts there, and not addresses. */
  readonly ofBridges?: true;
}

/** Everything that stands in the filter for one family, before any domain. */
export interface Ruleset {
  readonly sets: readonly SetSpec[];
  readonly entrances: readonly Entrance[];
  readonly chains: Readonly<Record<'raw' | 'filter' | 'nat', readonly Chain[]>>;
}

/** What is dropped, and why, as `hnet traffic` names it. */
export const CAUSES = {
  spoofed: 'source not routed to its bridge',
  borrowed: 'our address as source from outside',
  scope: 'bootstrap address from outside',
  unassigned: 'not to an assigned address',
  elsewhere: 'neither to the uplink nor to a domain',
  isolated: 'isolated',
  between: 'between domains',
  outbound: 'outbound_deny',
  host: 'host_access',
  midstream: 'flow older than its rules',
  policy: 'rules of the domain',
  redirect: 'ICMP redirect to a domain',
  advertisement: 'router advertisement or redirect from a domain',
  echo: "the host's own router advertisement, or one under its address",
  solicitation: 'too many solicitations from a domain',
} as const;

/** Where a packet ends that may belong to a flow that its domain's rules have cut. */
export const CUT = 'hnet-cut';

/** All lines that say a rule, where some of its matches have several wordings: any of them may hold. */
export const combinations = (matches: readonly (readonly string[])[]): string[][] =>
  matches.reduce<string[][]>(
    (lines, wordings) => lines.flatMap(line => wordings.map(words => [...line, words])),
    [[]],
  );

export const fromDomain: Match = { is: 'from-domain' };
export const toDomain: Match = { is: 'to-domain' };
export const from = (device: string): Match => ({ is: 'from-device', device });
export const to = (device: string): Match => ({ is: 'to-device', device });
export const source = (name: string): Match => ({ is: 'set', name, side: 'source' });
export const destination = (name: string): Match => ({ is: 'set', name, side: 'destination' });
export const notDestination = (name: string): Match => ({ is: 'set', name, side: 'destination', not: true });
export const state = (...states: TrackingState[]): Match => ({ is: 'state', states });

/** Packets of flows that somebody here began. */
export const replies: Match = state('RELATED', 'ESTABLISHED');

export const accept: Verdict = { do: 'accept' };
export const back: Verdict = { do: 'return' };
export const untrack: Verdict = { do: 'untrack' };
export const drop = (cause: string): Verdict => ({ do: 'drop', cause });
export const jump = (chain: string): Verdict => ({ do: 'jump', chain });
export const go = (chain: string): Verdict => ({ do: 'goto', chain });

export const rule = (verdict: Verdict, ...when: Match[]): Rule => ({ when, verdict });

/** What a resource of IPv6 is called beside that of IPv4. */
export const labelled = (label: string, family: Family): string => (family === 4 ? label : `${label} (IPv6)`);

/** How a backend says it. Adding what is there, and removing what isn't, are no errors. */
export interface SetEntries {
  readonly add: (set: string, prefix: Prefix) => Action;
  readonly remove: (set: string, prefix: Prefix) => Action;
}
