/** How a domain's network compares with what it should be, in phrases for `status`. */
import { type Means, wrongOf } from '../lifecycle/apply.ts';
import type { Attachment } from '../model/attachment.ts';
import { reason } from '../model/refusal.ts';
import { readAttachment } from '../state/attachment-files.ts';

export interface Health {
  readonly attachment: Attachment | undefined;
  /** What is wrong, a phrase each; empty if all is as it should be. */
  readonly faults: readonly string[];
}

/** @param isActive whether the domain runs; one that doesn't should have nothing */
export function healthOf(
  uuid: string,
  isAssigned: boolean,
  isActive: boolean,
  means: Omit<Means, 'host'>,
): Health {
  try {
    const attachment = readAttachment(uuid);
    if (attachment === undefined)
      return { attachment, faults: isActive && isAssigned ? ['runs, but nothing is set up for it'] : [] };
    if (!isActive) return { attachment, faults: ['left over from a run that has ended'] };
    const faults = wrongOf({ before: attachment, after: attachment }, means).map(
      ({ resource, finding }) => `${resource.label}: ${'why' in finding ? finding.why : 'missing'}`,
    );
    return { attachment, faults };
  } catch (error) {
    return { attachment: undefined, faults: [reason(error)] };
  }
}
