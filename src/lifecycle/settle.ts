/** What attachments say before, while and after domains change. */
import type { Attachment } from '../model/attachment.ts';
import { isSameForward } from '../model/forward-words.ts';
import { equal, isAmong, type Prefix } from '../model/prefix.ts';
import type { Change } from '../plan/change.ts';
import { removeAttachment, rewriteAttachment } from '../state/attachment-store.ts';
import { surrenderClaims } from '../state/claim-index.ts';

/** The first of the domains has something afterwards. */
export type Changes = readonly [Change & { readonly after: Attachment }, ...Change[]];

/** An attachment without some addresses. */
export const withoutAddresses = (attachment: Attachment, prefixes: readonly Prefix[]): Attachment => ({
  ...attachment,
  addresses: attachment.addresses.filter(({ prefix }) => !isAmong(prefixes, prefix)),
});

/** What a domain has while it changes: the old and the new. */
export function both(before: Attachment | undefined, after: Attachment): Attachment {
  const leaving = (before?.addresses ?? []).filter(
    old => !after.addresses.some(one => equal(one.prefix, old.prefix) && one.bridge === old.bridge),
  );
  const closing = (before?.forwards ?? []).filter(
    old => !after.forwards?.some(one => isSameForward(one, old)),
  );
  const forwards = [...(after.forwards ?? []), ...closing];
  return {
    ...after,
    addresses: [...after.addresses, ...leaving],
    ...(forwards.length > 0 && { forwards }),
  };
}

/** The attachments say what each domain has now. */
export function settle({ before, after }: Change): void {
  if (after === undefined) {
    if (before !== undefined) removeAttachment(before);
    return;
  }
  rewriteAttachment(after);
  if (before !== undefined) surrenderClaims(before, after);
}
