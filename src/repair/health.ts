/** How a domain's network compares with what it should be, for `status` and everything else that looks. */

import type { Firewall } from '../firewall/rules/backend.ts';
import type { Attachment } from '../model/attachment.ts';
import type { Config } from '../model/config.ts';
import { reason } from '../model/refusal.ts';
import type { View } from '../model/view.ts';
import { domainPlan } from '../plan/plan.ts';
import { check } from '../plan/walker.ts';
import { readAttachment } from '../state/attachment-files.ts';

export interface Health {
  readonly attachment: Attachment | undefined;
  /** What is wrong, a phrase each; empty if all is as it should be. */
  readonly faults: readonly string[];
}

/** @param active whether the domain runs; one that doesn't should have nothing */
export function healthOf(
  uuid: string,
  assigned: boolean,
  active: boolean,
  config: Config,
  firewall: Firewall,
  view: View,
): Health {
  let attachment: Attachment | undefined;
  try {
    attachment = readAttachment(uuid);
  } catch (error) {
    return { attachment: undefined, faults: [reason(error)] };
  }
  if (attachment === undefined)
    return { attachment, faults: active && assigned ? ['runs, but nothing is set up for it'] : [] };
  if (!active) return { attachment, faults: ['left over from a run that has ended'] };
  const wrong = check(domainPlan(attachment, config.dhcp, firewall), view).filter(
    ({ finding }) => finding.is !== 'present',
  );
  return {
    attachment,
    faults: wrong.map(
      ({ resource, finding }) => `${resource.label}: ${'why' in finding ? finding.why : 'missing'}`,
    ),
  };
}
