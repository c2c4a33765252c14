/** How claims are written in the file system. */
import { dashed } from './address.ts';
import type { Address } from './bridge.ts';
import { addressClaim } from './claim-name.ts';
import type { Forward } from './forward.ts';
import { formatCalled, parseForward } from './forward-words.ts';
import { CLAIMS_DIRECTORY } from './names.ts';
import { ifPossible } from './refusal.ts';

/** What a domain has of the host. */
export interface Claimed {
  readonly addresses: readonly Address[];
  readonly forwards?: readonly Forward[];
}

/** The file names of all claims: `ip-123.45.90.116-32`, `scope-172.30.116.0-24`, `bridge-br116`, `port-tcp-2201`. */
export function claimsOf({ addresses, forwards = [] }: Claimed): Set<string> {
  return new Set([
    ...addresses.flatMap(({ prefix, bridge, scope }) => [
      addressClaim(prefix),
      `scope-${dashed(scope)}`,
      `bridge-${bridge}`,
    ]),
    ...forwards.map(portClaim),
  ]);
}

/** `port-tcp-2201`, `port-udp-4000-4010-on-198.51.100.9`. */
const portClaim = (forward: Forward): string => `port-${formatCalled(forward).replaceAll(/[/ ]/g, '-')}`;

/** The ports of the host that a claim names; undefined if it is another claim, or none of ours. */
export function calledIn(claim: string): Forward | undefined {
  const [, protocol, ports, on] = /^port-(tcp|udp)-(\d+(?:-\d+)?)(?:-on-(.+))?$/.exec(claim) ?? [];
  if (protocol === undefined) return undefined;
  return ifPossible(() => parseForward(`${protocol}/${ports}${on === undefined ? '' : ` on ${on}`}`));
}

export const claimPath = (claim: string): string => `${CLAIMS_DIRECTORY}/${claim}`;

/** Where a claim leads: to the attachment of the domain that holds it. */
export const claimTarget = (domain: string): string => `../attachments/${domain}.json`;
