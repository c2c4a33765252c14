/** Attachments as they are written and removed, together with their claims. */
import { removeWhole, writeAtomically } from '../host/files.ts';
import { type Attachment, renderAttachment, sumLine } from '../model/attachment.ts';
import type { Claimed } from '../model/claims.ts';
import { ifPossible, Refusal, reason } from '../model/refusal.ts';
import { NewerRefusal } from '../model/version.ts';
import { fileOf, readAttachment, scriptOf } from './attachment-files.ts';
import { conflictOf, dropClaims, placeClaims } from './claim-index.ts';

/**
 * Claims everything an attachment holds, then writes it; to be called under the `claims` lock.
 * @throws Refusal naming the other domain, with nothing claimed
 */
export function writeAttachment(attachment: Attachment): void {
  try {
    refuseClaimed(attachment);
    placeClaims(attachment);
    rewriteAttachment(attachment);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    dropClaims(attachment);
    throw new Refusal(`Cannot write ${fileOf(attachment.domain)}: ${reason(error)}`);
  }
}

/** Writes an attachment whose claims stand already. */
export function rewriteAttachment(attachment: Attachment): void {
  removeWhole(scriptOf(attachment.domain));
  writeAtomically(fileOf(attachment.domain), renderAttachment(attachment));
}

/**
 * Puts a domain's release script beside its attachment; without it the hook's program does the release. The gate
 * (hooks/qemu.sh) believes a script that is there twice, with a line between that names the domain and its attachment.
 */
export function writeScript(attachment: Attachment, steps: string): void {
  const seal = `\n# ${attachment.domain} ${sumLine(renderAttachment(attachment))}\n`;
  ifPossible(() => writeAtomically(scriptOf(attachment.domain), `${steps}${seal}${steps}\n`));
}

/** Removes an attachment and its claims. Neither has to exist. */
export function removeAttachment(attachment: Claimed & Pick<Attachment, 'domain'>): void {
  dropClaims(attachment);
  discardAttachment(attachment.domain);
}

/** Removes an attachment that can't be read; its claims become stale. @throws Refusal if its file can't be removed */
export function discardAttachment(domain: string): void {
  for (const file of [scriptOf(domain), fileOf(domain)])
    try {
      removeWhole(file);
    } catch (error) {
      throw new Refusal(`Cannot remove ${file}: ${reason(error)}; remove it by hand`);
    }
}

/** Refuses what another attachment holds, naming its domain. */
export function refuseClaimed(attachment: Attachment): void {
  const conflict = conflictOf(attachment);
  if (conflict !== undefined)
    throw new Refusal(`${conflict.what} is in use by ${holderName(conflict.domain)}`);
}

const holderName = (domain: string): string =>
  ifPossible(() => `domain ${JSON.stringify(readAttachment(domain)?.name ?? domain)}`) ??
  `the domain with UUID ${domain}`;

/**
 * The attachment of a domain. One that can't be read counts as lost, but stays until another takes its place.
 * @throws NewerRefusal for one that a newer hnet wrote: nothing may take its place
 */
export function readableAttachment(uuid: string): Attachment | undefined {
  try {
    return readAttachment(uuid);
  } catch (error) {
    if (error instanceof NewerRefusal) throw error;
    return undefined;
  }
}
