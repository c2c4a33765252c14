/** What an operator allows and denies a domain; rule.ts has the words for it. */
import type { PortRange, Protocol } from './ports.ts';
import type { Family, Prefix } from './prefix.ts';

/** One rule of a domain. Rules are ordered, and the first that matches decides. */
export interface PolicyRule {
  readonly direction: 'inbound' | 'outbound';
  readonly action: 'allow' | 'deny';
  /** Undefined: any. */
  readonly protocol: Protocol | undefined;
  /** Destination ports; empty: any. */
  readonly ports: readonly PortRange[];
  /** The other end: source of inbound, destination of outbound packets. Undefined: any. */
  readonly peer: Prefix | undefined;
}

export interface Policy {
  /** What happens to inbound flows that no rule matches. */
  readonly inbound: 'allow' | 'deny';
  /** Whether it exchanges nothing with other domains of this host. */
  readonly isolate: boolean;
  readonly rules: readonly PolicyRule[];
}

/** The policy of a domain without rules: everything is allowed, and nothing tracked. */
export const OPEN: Policy = { inbound: 'allow', isolate: false, rules: [] };

/** Whether a domain's flows must be tracked: only that tells the packets of one direction from those of the other. */
export const isTracked = (policy: Policy): boolean => policy.inbound === 'deny' || policy.rules.length > 0;

/** Whether a rule applies to a family: one with a peer of the other family doesn't. */
export const applies = ({ peer }: PolicyRule, family: Family): boolean =>
  peer === undefined || peer.family === family;
