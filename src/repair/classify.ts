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

/** One domain, by its record in /run/hnet and by libvirt. */
export interface Sighting {
  readonly uuid: string;
  /** What the record says, or why it can't be read; undefined: there is none. */
  readonly record: Attachment | string | undefined;
  /** Whether a newer hnet wrote the record. */
  readonly isNewer: boolean;
  /** Whether it had a record before libvirt was asked. */
  readonly hadRecord: boolean;
  /** Whether that record is the one that is there now. */
  readonly isUnchanged: boolean;
  /** Whether libvirt answered at all. */
  readonly isListed: boolean;
  /** The domain, where libvirt says that it runs. */
  readonly domain: Domain | undefined;
}

export type Outcome =
  /** It runs with what its record says; without libvirt's word it is taken to run. */
  | { readonly is: 'kept'; readonly attachment: Attachment; readonly domain: Domain | undefined }
  /** It runs, and its assignment is another than the one it was set up with; undefined: it has none any more. */
  | {
      readonly is: 'changed';
      readonly attachment: Attachment;
      readonly domain: Domain;
      readonly assignment: Assignment | undefined;
    }
  /** It runs, and its record is lost or can't be read. */
  | { readonly is: 'lost'; readonly domain: Domain; readonly assignment: Assignment }
  /** It doesn't run any more. */
  | { readonly is: 'ended'; readonly attachment: Attachment }
  /** It doesn't run, and what it has left can't be read. */
  | { readonly is: 'damaged'; readonly uuid: string }
  /** Only the operator can put it right. What is set up for it stays. */
  | {
      readonly is: 'unclear';
      readonly name: string;
      readonly why: string;
      readonly attachment: Attachment | undefined;
      readonly domain: Domain | undefined;
    }
  | { readonly is: 'none of ours' };

const NONE: Outcome = { is: 'none of ours' };

export function classify(sighting: Sighting): Outcome {
  const { uuid, domain, record, isNewer } = sighting;
  if (isNewer && typeof record === 'string')
    return { is: 'unclear', name: domain?.name ?? uuid, why: record, attachment: undefined, domain };
  if (domain === undefined) return withoutDomain(sighting);
  const attachment = typeof record === 'string' ? undefined : record;
  const intent = intentOf(domain);
  if (typeof intent === 'string')
    return record === undefined
      ? NONE
      : { is: 'unclear', name: domain.name, why: intent, attachment, domain };
  if (attachment !== undefined)
    return intent !== undefined && isSame(attachment, intent)
      ? { is: 'kept', attachment, domain }
      : { is: 'changed', attachment, domain, assignment: intent };
  if (intent !== undefined) return missing(sighting, domain, intent);
  return typeof record === 'string'
    ? { is: 'unclear', name: domain.name, why: record, attachment, domain }
    : NONE;
}

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
    : { is: 'unclear', name: uuid, why: record, attachment: undefined, domain: undefined };
}

/** A record that was there when libvirt was asked, and is gone, means that the domain has stopped meanwhile. */
const missing = ({ record, hadRecord }: Sighting, domain: Domain, assignment: Assignment): Outcome =>
  record === undefined && hadRecord ? NONE : { is: 'lost', domain, assignment };

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
