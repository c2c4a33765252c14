/** What the kernel would do with a packet, as it says itself when it is asked. */
import { contains, type Prefix } from './prefix.ts';

/** A packet that arrives at an interface of the host. */
export interface Packet {
  readonly from: Prefix;
  readonly to: Prefix;
  readonly iif: string;
}

export type Verdict =
  /** It would leave by a device; the routing table that says so is `main`, or has a number or another name. */
  | { readonly is: 'forwarded'; readonly dev: string; readonly table: string }
  /** The host would take it for itself. */
  | { readonly is: 'delivered' }
  /** It would be dropped. The words are the kernel's, for an error that has several causes. */
  | { readonly is: 'dropped'; readonly words: string };

/** A rule that chooses the routing table of a packet. The kernel asks them by their preference. */
export interface RoutingRule {
  readonly preference: number;
  /** As `ip rule` prints it: `from all lookup 52`. */
  readonly text: string;
  /** Undefined: all. */
  readonly from: Prefix | undefined;
  readonly to: Prefix | undefined;
  readonly iif: string | undefined;
  /** It asks for more than addresses and interface, such as a mark: then it takes none of the packets that we ask about. */
  readonly isParticular: boolean;
  /** It takes what its conditions don't hold of. */
  readonly isNegated: boolean;
  /** The table that it looks into; undefined: it drops, or does nothing. */
  readonly table: string | undefined;
  readonly drops: boolean;
}

/** Whether a rule takes a packet. */
export function takes(rule: RoutingRule, { from, to, iif }: Packet): boolean {
  const holds =
    !rule.isParticular &&
    (rule.from === undefined || contains(rule.from, from)) &&
    (rule.to === undefined || contains(rule.to, to)) &&
    (rule.iif === undefined || rule.iif === iif);
  return holds !== rule.isNegated;
}

/** What keeps an address from being served, in words, and a command that mends it or shows more of it. */
export interface Cause {
  readonly why: string;
  readonly mend: string;
}
