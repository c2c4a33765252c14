import type { Attachment } from '../model/attachment.ts';
import { claimPath, claimsOf, claimTarget } from '../model/claims.ts';
import { ABSENT, changed, PRESENT, type Resource } from './resource.ts';

/** Restores the claims of a running domain. Without one, another domain could start with the same address. */
export function claims(attachment: Attachment, standing: ReadonlyMap<string, string>): Resource {
  const { domain } = attachment;
  const wanted = [...claimsOf(attachment)];
  return {
    key: `claims ${domain}`,
    label: 'claims',
    probe: () => {
      const other = wanted.find(claim => standing.has(claim) && standing.get(claim) !== domain);
      if (other !== undefined) return changed(`${other} names the domain with UUID ${standing.get(other)}`);
      return wanted.every(claim => standing.has(claim)) ? PRESENT : ABSENT;
    },
    up: () => wanted.map(claim => ({ kind: 'link', path: claimPath(claim), target: claimTarget(domain) })),
    down: () => [],
  };
}
