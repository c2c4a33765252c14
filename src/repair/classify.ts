/** What a domain's record and libvirt's word about it amount to; pure. */
import { assignmentOf, toAttachment } from '../lifecycle/admission.ts';
import { format } from '../model/address.ts';
import type { Assignment } from '../model/assignment.ts';
import { differingParts, PART_WORDS } from '../model/assignment-parts.ts';
import type { Attachment, WireOf } from '../model/attachment.ts';
import type { Address } from '../model/bridge.ts';
import type { Domain } from '../model/domain.ts';
import { equal } from '../model/prefix.ts';
import { reason } from '../model/refusal.ts';
import type { Outcome, Sighting } from './outcome.ts';

const NONE: Outcome = { is: 'none of ours' };

/** @param wires where the configuration has addresses answered for */
export function classify(sighting: Sighting, wires: WireOf): Outcome {
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
  if (attachment !== undefined) {
    const change = changeOf(attachment, domain, intent, wires);
    return change === undefined
      ? { is: 'kept', attachment, domain }
      : { is: 'changed', attachment, domain, assignment: intent, ...change };
  }
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

/** Why what a running domain has isn't what it should have, by its metadata and the configuration; undefined: it is. */
export function changeWords(record: Attachment, domain: Domain, wires: WireOf): string | undefined {
  const intent = intentOf(domain);
  return typeof intent === 'string' ? intent : changeOf(record, domain, intent, wires)?.why;
}

/** What it should have by now, and why; undefined: it has that. Where it is on its way, and in which filter, isn't asked here. */
function changeOf(record: Attachment, domain: Domain, intent: Assignment | undefined, wires: WireOf) {
  if (intent === undefined) return { by: 'metadata', why: 'its metadata holds none any more' } as const;
  const wanted = toAttachment(domain, intent, record.backend, wires);
  const before = { ...record, addresses: onTheWires(record.addresses, wanted) };
  const parts = differingParts(before, wanted).map(part => PART_WORDS[part]);
  if (parts.length > 0) {
    const why = `its metadata has changed while it runs: ${parts.join(', ')}`;
    return { by: 'metadata', why } as const;
  }
  const moved = wanted.addresses.flatMap(one => {
    const was = record.addresses.find(({ prefix }) => equal(prefix, one.prefix));
    return was?.wire === one.wire ? [] : [wireWords(one, was?.wire)];
  });
  const [first, ...more] = moved;
  if (first === undefined) return undefined;
  return {
    by: 'configuration',
    why: `${first}${more.length === 0 ? '' : ` (and ${more.length} more)`}`,
  } as const;
}

/** The wires are the configuration's to say; the metadata knows none. */
const onTheWires = (addresses: Attachment['addresses'], wanted: Attachment): Attachment['addresses'] =>
  addresses.map(({ wire: _, ...one }) => {
    const wire = wanted.addresses.find(({ prefix }) => equal(prefix, one.prefix))?.wire;
    return wire === undefined ? one : { ...one, wire };
  });

const wireWords = ({ prefix, wire }: Address, before: string | undefined): string =>
  `by hnet.toml ${format(prefix)} ${deliveryWords(wire)}, and it was set up as ${deliveryWords(before).slice(3)}`;

const deliveryWords = (wire: string | undefined): string =>
  wire === undefined ? 'is routed here' : `is looked for on ${wire}`;
