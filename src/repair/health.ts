/** How a domain's network compares with what it should be, in phrases for `status`. */
import type { Host } from '../host/host.ts';
import { type Means, wrongOf } from '../lifecycle/apply.ts';
import { format } from '../model/address.ts';
import type { Attachment } from '../model/attachment.ts';
import type { Config } from '../model/config.ts';
import { addressesOf, type Domain, tapsOf } from '../model/domain.ts';
import type { PeerAddress } from '../model/host-address.ts';
import { isHere } from '../model/move.ts';
import type { Prefix } from '../model/prefix.ts';
import { Refusal, reason } from '../model/refusal.ts';
import { type Uplinks, wireFor } from '../model/uplink.ts';
import type { Due } from '../moves/due.ts';
import type { Checked } from '../plan/walker.ts';
import { whyOf } from '../resources/resource.ts';
import { readAttachment } from '../state/attachment-files.ts';
import { baseFaults, besideBase } from './base-faults.ts';
import { changeWords } from './classify.ts';
import { dueWords } from './due-words.ts';
import { refusedNext } from './next-start.ts';
import { lackingNext, type Ports, portsIn, switchedOff, unplugged } from './plugs.ts';
import { unserved } from './served.ts';

export interface Health {
  readonly attachment: Attachment | undefined;
  /** What is wrong, a phrase each; empty if all is as it should be. */
  readonly faults: readonly Ailment[];
}

interface Ailment {
  readonly what: string;
  /** The addresses that it is about; absent: all of the domain's. */
  readonly addresses?: readonly Prefix[];
}

/** A domain as libvirt knows it. One that doesn't run should have nothing. */
interface Patient {
  /** As it runs, or else as it would start. */
  readonly domain: Domain;
  /** What its next start is made from; that of a transient domain is what runs. */
  readonly next: Domain;
  readonly active: boolean;
}

/** What was seen of the host; the uplinks, or why there are none. */
export interface Sight extends Omit<Means, 'host'> {
  readonly config: Config;
  readonly uplinks: Uplinks | Refusal;
  readonly others: readonly PeerAddress[];
  /** Parts of the base that aren't as they should be. */
  readonly base: readonly Checked[];
  /** Domains whose routes wait for somebody to turn them. */
  readonly due: readonly Due[];
}

/** The health of each domain, by its UUID. The kernel is asked about those that lack nothing, about all in one process. */
export function healthOfAll(
  patients: readonly Patient[],
  sight: Sight,
  host: Host,
): ReadonlyMap<string, Health> {
  const ports = portsIn(sight.view);
  const found = new Map(patients.map(patient => [patient.domain.uuid, healthOf(patient, sight, ports)]));
  const whole = [...found.values()].flatMap(({ attachment, now }) =>
    attachment === undefined || now.length > 0 ? [] : [attachment],
  );
  const served = verdicts(whole, sight, host);
  const around = aroundThem(sight);
  return new Map(
    [...found].map(([uuid, { attachment, now, next }]) => [
      uuid,
      {
        attachment,
        faults: [
          ...phrases(now),
          ...waiting(uuid, sight),
          ...around(attachment),
          ...(served.get(uuid) ?? []),
          ...phrases(next),
        ],
      },
    ]),
  );
}

const phrases = (all: readonly string[]): Ailment[] => all.map(what => ({ what }));

const waiting = (uuid: string, { due }: Sight): Ailment[] =>
  due.filter(({ attachment }) => attachment.domain === uuid).map(one => ({ what: dueWords(one) }));

/** What is wrong with the base, of each domain's addresses that it takes packets from. */
function aroundThem({ base, uplinks, view }: Sight): (attachment: Attachment | undefined) => Ailment[] {
  const faults = uplinks instanceof Refusal ? [] : baseFaults(base, { uplinks, view });
  return attachment =>
    faults.flatMap(fault => {
      const hit = attachment?.addresses.filter(fault.hits) ?? [];
      return hit.length === 0 || !isHere(attachment?.state)
        ? []
        : [{ what: phrase(fault), addresses: hit.map(({ prefix }) => prefix) }];
    });
}

const phrase = ({ resource, finding }: Checked): string => `${resource.label}: ${whyOf(finding, 'missing')}`;

/** A domain by itself: what is wrong with it now, and what its next start would lack. */
interface Ailments {
  readonly now: readonly string[];
  readonly next: readonly string[];
}

function healthOf(patient: Patient, sight: Sight, ports: Ports): Pick<Health, 'attachment'> & Ailments {
  try {
    const attachment = readAttachment(patient.domain.uuid);
    return { attachment, ...ailments(patient, attachment, sight, ports) };
  } catch (error) {
    return { attachment: undefined, now: [reason(error)], next: [] };
  }
}

function ailments(
  { domain, next, active }: Patient,
  attachment: Attachment | undefined,
  sight: Sight,
  ports: Ports,
): Ailments {
  if (attachment === undefined) {
    const lacks = active && addressesOf(domain).length > 0;
    return { now: lacks ? ['runs, but nothing is set up for it'] : [], next: [] };
  }
  if (!active) return { now: ['left over from a run that has ended'], next: [] };
  const { config, uplinks } = sight;
  const wrong = wrongOf({ before: attachment, after: attachment, taps: tapsOf(domain) }, sight);
  return {
    now: [
      ...wrong.map(phrase),
      ...unplugged(attachment, domain, ports).map(({ why }) => why),
      ...switchedOff(attachment, domain),
      ...changed(attachment, domain, uplinks),
    ],
    next: [
      ...lackingNext(domain, next),
      ...(uplinks instanceof Refusal ? [] : refusedNext(next, { config, uplinks })),
    ],
  };
}

/** What a domain should have by now. */
function changed(attachment: Attachment, domain: Domain, uplinks: Sight['uplinks']): string[] {
  if (uplinks instanceof Refusal) return [];
  const change = changeWords(attachment, domain, prefix => wireFor(prefix, uplinks));
  return change === undefined ? [] : [change];
}

/** What the kernel says of domains that lack nothing, by their UUIDs; of those that it serves nothing. */
function verdicts(
  attachments: readonly Attachment[],
  { base, uplinks, view, others }: Sight,
  host: Host,
): ReadonlyMap<string, readonly Ailment[]> {
  if (uplinks instanceof Refusal)
    return new Map(attachments.map(({ domain }) => [domain, [{ what: reason(uplinks) }]]));
  const faults = new Map<string, Ailment[]>();
  const seen = { uplinks, view, others };
  for (const { attachment, address, cause } of besideBase(base, seen, unserved(attachments, seen, host))) {
    const before = faults.get(attachment.domain) ?? [];
    faults.set(attachment.domain, [
      ...before,
      { addresses: [address], what: `${format(address)}: ${cause.why}` },
    ]);
  }
  return faults;
}
