/** The filter as data. What it enforces is written once, in ruleset.ts and policy-chains.ts; a backend only renders it. */
import type { Allowance } from '../../model/allowance.ts';
import type { PortRange, Ports, Protocol } from '../../model/ports.ts';
import type { Family, Prefix } from '../../model/prefix.ts';

export type Side = 'source' | 'destination';
type TrackingState = 'NEW' | 'ESTABLISHED' | 'RELATED' | 'UNTRACKED';

/** One condition of a rule. */
export type Match =
  | { readonly is: PlainMatch }
  | { readonly is: 'from-device' | 'to-device'; readonly devices: readonly string[] }
  /** Matching a set with counters also counts the packet on the entry. */
  | { readonly is: 'set'; readonly name: string; readonly side: Side; readonly not?: true }
  /** The same of a set of domains' addresses, where it is a single one of these, or one of a subnet that a domain holds. */
  | { readonly is: 'set'; readonly name: string; readonly side: Side; readonly only: 'singles' | 'subnets' }
  /** Address, protocol and port of one end, TCP's or UDP's, in a set to which rules add them. */
  | { readonly is: 'service'; readonly set: string; readonly side: Side }
  | { readonly is: 'net'; readonly side: Side; readonly prefix: Prefix }
  | { readonly is: 'protocol'; readonly protocol: Protocol }
  /** Destination ports unless a side is named. */
  | ({ readonly is: 'ports'; readonly side?: Side } & Ports)
  | { readonly is: 'state'; readonly states: readonly TrackingState[] }
  | { readonly is: 'icmp-types'; readonly types: readonly number[] }
  /** The bridge that it came from, or leaves by, has had more of these lately than its allowance. Must be a rule's last match. */
  | ({ readonly is: 'flood'; readonly set: string; readonly of: Side } & Allowance);

/** Conditions without parameters. */
export type PlainMatch =
  /** The packet enters or leaves by one of our bridges. */
  | 'from-domain'
  | 'to-domain'
  /** It goes the other way than the packet that began its flow. */
  | 'reply'
  /** A TCP segment that doesn't open a connection. */
  | 'not-opening'
  /** One that does, or the answer to it: both announce the largest segment that their sender takes. */
  | 'announcing'
  /** The source isn't routed back to the interface the packet came from (RFC 3704, strict). */
  | 'spoofed'
  /** The source is the broadcast address of a subnet of the host. */
  | 'broadcast-source'
  /** Its destination is another than the one it was sent to. */
  | 'redirected'
  /** The same, and it goes the way of the packet that began its flow. */
  | 'redirected-call'
  /** Addressed to the host itself. */
  | 'local'
  /** A DHCP client without an address asks for one (RFC 2131, 4.1). */
  | 'dhcp-discover'
  /** Any DHCP message to a server, or to a client. */
  | 'dhcp-request'
  | 'dhcp-reply'
  | 'icmp-error'
  | 'icmp-redirect';

export type Verdict =
  /** `keep`: nobody translates the source. */
  | { readonly do: 'return' | 'untrack' | 'keep' }
  /** `cause` is what an operator sees beside the number of dropped packets. */
  | { readonly do: 'drop'; readonly cause: string }
  | { readonly do: 'jump' | 'goto'; readonly chain: string }
  /** The address goes into a set, and the packet goes on. The entry ends after so many seconds, or the set's own time. */
  | { readonly do: 'note'; readonly set: string; readonly side: Side; readonly seconds?: number }
  /** The same with protocol and port; only for TCP and UDP. */
  | { readonly do: 'note-service'; readonly set: string; readonly side: Side }
  | { readonly do: 'translate'; readonly source: Prefix }
  /** Calls to some ports go to another address, and there to ports from `to` on. */
  | {
      readonly do: 'redirect';
      readonly target: Prefix;
      readonly protocol: 'tcp' | 'udp';
      readonly ports: PortRange;
      readonly to: number;
    }
  /**
   * Lowers the size that a TCP segment announces, in bytes, or to what the routes of both its ends take; the packet goes on to
   * the next rule.
   */
  | { readonly do: 'clamp'; readonly segment: number | 'path' }
  /** Makes the UDP checksum one that its receiver takes; the packet goes on to the next rule. */
  | { readonly do: 'checksum' };

export interface Rule {
  readonly when: readonly Match[];
  readonly verdict: Verdict;
}

export interface Chain {
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** A chain in the words of its tool. */
export interface Written {
  readonly name: string;
  readonly lines: readonly string[];
}

/**
 * iptables' tables with chains of ours: raw is before connection tracking, nat translates on the way out. In mangle, as in
 * nftables before the usual priority of filters, our chains drop or return. So what others drop stays dropped.
 */
export type Table = 'raw' | 'mangle' | 'nat';

/** The kernel's hooks that lead to our chains. nftables calls its base chains so. */
export type HookPoint = 'raw-prerouting' | `filter-${'forward' | 'input' | 'output'}` | 'nat-postrouting';

/** The jump from a hook of the kernel into one of our chains. */
export interface Entrance {
  readonly point: HookPoint;
  readonly when: readonly Match[];
  readonly chain: string;
}

/** Why packets are dropped, in the words of `hnet traffic`. */
export const CAUSES = {
  spoofed: 'source not routed to its bridge',
  borrowed: 'our address as source from outside',
  impostor: "our address as source from the host's other networks",
  scope: 'bootstrap address from outside',
  unassigned: 'not to an assigned address',
  elsewhere: 'neither to the uplink nor to a domain, nor opened',
  isolated: 'isolated',
  between: 'between domains',
  outbound: 'outbound_deny',
  reserved: 'private_destinations',
  host: 'host_access',
  midstream: 'flow older than its rules',
  policy: 'rules of the domain',
  redirect: 'ICMP redirect to a domain',
  advertisement: 'router advertisement or redirect from a domain',
  echo: "the host's own router advertisement, or one under its address",
  solicitation: 'too many solicitations from a domain',
  asking: 'too many DHCP messages from a domain',
  senders: 'too many ARP senders on a bridge',
  unseen: "too many unused addresses of a domain's subnet",
  opening: 'too many connections from a domain',
  opened: 'too many connections to a domain',
} as const;

/** The chain that drops packets of flows that a domain's new rules have cut. */
export const CUT = 'hnet-cut';

/** The lines that render a rule: one for each choice of one wording per match. */
export const combinations = (matches: readonly (readonly string[])[]): string[][] =>
  matches.reduce<string[][]>(
    (lines, wordings) => lines.flatMap(line => wordings.map(words => [...line, words])),
    [[]],
  );

export const fromDomain: Match = { is: 'from-domain' };
export const toDomain: Match = { is: 'to-domain' };
/** By any of these interfaces. */
export const from = (devices: readonly string[]): Match => ({ is: 'from-device', devices });
export const to = (devices: readonly string[]): Match => ({ is: 'to-device', devices });
export const source = (name: string): Match => ({ is: 'set', name, side: 'source' });
export const destination = (name: string): Match => ({ is: 'set', name, side: 'destination' });
export const notSource = (name: string): Match => ({ is: 'set', name, side: 'source', not: true });
export const notDestination = (name: string): Match => ({ is: 'set', name, side: 'destination', not: true });
export const fromNet = (prefix: Prefix): Match => ({ is: 'net', side: 'source', prefix });
export const toNet = (prefix: Prefix): Match => ({ is: 'net', side: 'destination', prefix });
export const only = (which: 'singles' | 'subnets', side: Side, name: string): Match => ({
  is: 'set',
  name,
  side,
  only: which,
});
/** @param of the bridge that a packet came from (`source`), or by which it leaves */
export const flood = (set: string, allowance: Allowance, of: Side = 'source'): Match => ({
  is: 'flood',
  set,
  of,
  ...allowance,
});
export const state = (...states: TrackingState[]): Match => ({ is: 'state', states });
export const icmpTypes = (...types: number[]): Match => ({ is: 'icmp-types', types });

export const redirectedCall: Match = { is: 'redirected-call' };

/** Packets of flows that were opened from this host's side. */
export const replies: Match = state('RELATED', 'ESTABLISHED');

/** ICMPv6 types (RFC 4861, 4): to routers, to neighbours, from a router, from a neighbour, redirect. */
export const ND = {
  routers: 133,
  neighbours: 135,
  advertisement: 134,
  neighbour: 136,
  redirect: 137,
} as const;

export const back: Verdict = { do: 'return' };
export const untrack: Verdict = { do: 'untrack' };
export const keep: Verdict = { do: 'keep' };
export const drop = (cause: string): Verdict => ({ do: 'drop', cause });
export const note = (side: Side, set: string, seconds?: number): Verdict => ({
  do: 'note',
  side,
  set,
  ...(seconds === undefined ? {} : { seconds }),
});
const noteService = (side: Side, set: string): Verdict => ({ do: 'note-service', side, set });
export const jump = (chain: string): Verdict => ({ do: 'jump', chain });
export const go = (chain: string): Verdict => ({ do: 'goto', chain });

export const rule = (verdict: Verdict, ...when: Match[]): Rule => ({ when, verdict });
export const chain = (name: string, ...rules: readonly Rule[]): Chain => ({ name, rules });

/**
 * Notes the address and port to which somebody's rule has led a call. iptables has chains for each table.
 * @param more what else is to be noted
 */
export const learning = (
  name: string,
  sets: { readonly translated: string; readonly partly: string },
  more: readonly Rule[],
): Chain =>
  chain(
    name,
    rule(noteService('destination', sets.translated), { is: 'protocol', protocol: 'tcp' }),
    rule(noteService('destination', sets.translated), { is: 'protocol', protocol: 'udp' }),
    rule(note('destination', sets.partly)),
    ...more,
  );

/** Resources of IPv6 are labelled like those of IPv4, with an addition. */
export const labelled = (label: string, family: Family): string => (family === 4 ? label : `${label} (IPv6)`);
