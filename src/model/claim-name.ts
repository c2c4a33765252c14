/** What the claim of an address is called. */
import { dashed, parsePrefix } from './address.ts';
import type { Prefix } from './prefix.ts';
import { ifPossible } from './refusal.ts';

/** `ip-123.45.90.116-32` */
export const addressClaim = (prefix: Prefix): string => `ip-${dashed(prefix)}`;

/** The address that a claim names; undefined if it is another claim, or none of ours. */
export const claimedAddress = (claim: string): Prefix | undefined =>
  claim.startsWith('ip-')
    ? ifPossible(() => parsePrefix(claim.slice(3).replace(/-(\d+)$/, '/$1')))
    : undefined;
