/** What a domain's record and libvirt's word about it amount to; pure. */
import { assignmentOf } from '../lifecycle/admission.ts';
import type { Assignment } from '../model/assignment.ts';
import type { Attachment } from '../model/attachment.ts';
import type { Domain } from '../model/domain.ts';
import { formatForward } from '../model/forward-words.ts';
import type { Policy } from '../model/policy.ts';
import { equal } from '../model/prefix.ts';
import { reason } from '../model/refusal.ts';
import { formatRule } from '../model/rule.ts';
import type { Outcome, Sighting } from './outcome.ts';

const NONE: Outcome = { is: 'none of ours' };

export function classify(sighting: Sighting): Outcome {
  const { uuid, domain, record, isNewer } = sighting;
  if (isNewer && typeof record === 'string')
    return { is: 'unclear', uuid, name: domain?.name ?? uuid, why: record, attachment: undefined, domain };
  if (domain === undefined) return withoutDomain(sighting);
  const attachment = typeof record === 'string' ? undefined : record;
  const intent = intentOf(domain);
  if (typeof intent === 'string')
    return hasStopped(sighting)
      ? NONE
      : { is: 'unclear', uuid, name: domain.name, why: intent, attachment, domain };
  if (attachment !== undefined)
    return intent !== undefined && isSame(attachment, intent)
      ? { is: 'kept', attachment, domain }
      : { is: 'changed', attachment, domain, assignment: intent };
  if (intent !== undefined) return hasStopped(sighting) ? NONE : lost(domain, intent, sighting);
  return typeof record === 'string'
    ? { is: 'unclear', uuid, name: domain.name, why: record, attachment, domain }
    : NONE;
}

const lost = (domain: Domain, assignment: Assignment, { isMoving }: Sighting): Outcome => ({
  is: 'lost',
  domain,
  assignment,
  state: isMoving ? 'incoming' : undefined,
});

/** Libvirt doesn't name it as running, or doesn't answer. */
function withoutDomain({ uuid, record, isUnchanged, isListed }: Sighting): Outcome {
  if (record === undefined) return NONE;
  // A record that is newer than libvirt's answer is that of a start.
  const isOver = isListed && isUnchanged;
  if (typeof record !== 'string')
    return isOver
      ? { is: 'ended', attachment: record }
      : { is: 'kept', attachment: record, domain: undefined };
  return isOver
    ? { is: 'damaged', uuid }
    : { is: 'unclear', uuid, name: uuid, why: record, attachment: undefined, domain: undefined };
}

/** A record that was there when libvirt was asked, and is gone, means that the domain has stopped meanwhile. */
const hasStopped = ({ record, hadRecord }: Sighting): boolean => record === undefined && hadRecord;

/** The live assignment, or why it can't be used. */
function intentOf(domain: Domain): Assignment | undefined | string {
  try {
    return assignmentOf(domain);
  } catch (error) {
    return reason(error);
  }
}

const isSame = (before: Attachment, { addresses, policy, forwards }: Assignment): boolean =>
  before.addresses.length === addresses.length &&
  addresses.every(({ prefix, bridge, scope }) =>
    before.addresses.some(
      one => equal(one.prefix, prefix) && one.bridge === bridge && equal(one.scope, scope),
    ),
  ) &&
  textOf(before.policy) === textOf(policy) &&
  wordsOf(before.forwards) === wordsOf(forwards);

const wordsOf = (forwards: Assignment['forwards'] = []): string => forwards.map(formatForward).join();

const textOf = ({ inbound, isolate, rules }: Policy): string =>
  JSON.stringify([inbound, isolate, rules.map(formatRule)]);
