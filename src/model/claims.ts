/** How claims are written in the file system. */
import { dashed } from './address.ts';
import type { Address } from './bridge.ts';
import { CLAIMS_DIRECTORY } from './names.ts';

/** The file names of all claims: `ip-123.45.90.116-32`, `scope-172.30.116.0-24`, `bridge-br116`. */
export function claimsOf({ addresses }: { readonly addresses: readonly Address[] }): Set<string> {
  return new Set(
    addresses.flatMap(({ prefix, bridge, scope }) => [
      `ip-${dashed(prefix)}`,
      `scope-${dashed(scope)}`,
      `bridge-${bridge}`,
    ]),
  );
}

export const claimPath = (claim: string): string => `${CLAIMS_DIRECTORY}/${claim}`;

/** Where a claim leads: to the attachment of the domain that holds it. */
export const claimTarget = (domain: string): string => `../attachments/${domain}.json`;
