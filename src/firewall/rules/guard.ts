import type { Prefix } from '../../model/prefix.ts';

/** What the rules of a family have to know of uplinks by which nothing leaves to what the Internet doesn't route. */
export interface Guard {
  readonly devices: readonly string[];
  /**
   * Whether all uplinks are such. Then the raw table, which doesn't know by which one a packet will leave, leaves packets to
   * those ranges tracked, and on the way out only what is tracked is looked up.
   */
  readonly isEverywhere: boolean;
  /** What a private range holds that domains need: gateways, the servers that their leases name, what the operator names. */
  readonly reachable: readonly Prefix[];
}
