/** What a survey found, as `check` shows it. */
import { format } from '../model/address.ts';
import { type Attachment, attachmentTitle } from '../model/attachment.ts';
import type { Difference } from '../model/difference.ts';
import { quote } from '../model/refusal.ts';
import type { Checked } from '../plan/walker.ts';
import { whyOf } from '../resources/resource.ts';
import { dueWords } from './due-words.ts';
import type { Fault } from './fault.ts';
import type { Survey } from './findings.ts';
import {
  type About,
  aboutDomain,
  assignmentOfDomain,
  attachmentOf,
  HOST,
  type Matter,
  matterOf,
  ofHost,
  routesOf,
} from './matter.ts';

/** What repairs whatever hnet can repair. */
const REPAIR = 'hnet sync';

/** A fault with the key of what it is about. */
export interface KnownFault extends Fault {
  readonly key: string;
}

/** Everything that isn't as it should be; empty on a host in order. */
export const faults = (found: Survey): Fault[] => knownFaults(found).map(({ key: _, ...fault }) => fault);

/** The same, as a repair needs it. */
export function knownFaults(found: Survey): KnownFault[] {
  const all = faultsIn(found);
  const mended = new Set(repairable(all));
  return all.map(one => (mended.has(one) ? { ...one, mend: REPAIR } : one));
}

const faultsIn = (found: Survey): KnownFault[] => [
  ...found.base.map(checked => ofResource(HOST, checked)),
  ...found.kept.flatMap(({ attachment, wrong }) =>
    wrong.map(checked => ofResource(ofAttachment(attachment), checked)),
  ),
  ...ofAssignments(found),
  ...found.due.map(due => fault(routesOf(ofAttachment(due.attachment)), 'changed', dueWords(due))),
  ...found.unserved.map(({ attachment, address, cause }) => {
    const what = format(address);
    const matter = { ...ofAttachment(attachment), key: `served ${what} ${cause.why}`, what };
    return fault(matter, 'cut off', cause.why, cause.mend);
  }),
  ...found.unplugged.map(({ attachment, why }) =>
    fault({ ...ofAttachment(attachment), key: `plug ${why}`, what: 'network interface' }, 'cut off', why),
  ),
  ...leftOver(found),
  ...(found.unasked === undefined
    ? []
    : [fault({ ...HOST, key: 'libvirt', what: 'running domains' }, 'unknown', found.unasked)]),
];

const ofAttachment = ({ name, domain: uuid }: Attachment): About => aboutDomain({ name, uuid });

/** Those of the faults that a repair does something about: it doesn't touch a domain in whose place is something foreign. */
export function repairable<F extends Fault>(all: readonly F[]): F[] {
  const blocked = new Set(all.filter(({ is }) => is === 'foreign').map(({ uuid }) => uuid));
  return all.filter(
    ({ is, uuid }) =>
      !['cut off', 'unknown', 'foreign'].includes(is) && (uuid === null || !blocked.has(uuid)),
  );
}

/** What a repair does about a fault. */
export const repairOf = ({ is, domain, what, why }: Fault): Difference => ({
  is: is === 'missing' ? 'added' : is === 'left over' ? 'removed' : 'changed',
  domain,
  what: `${what} (${why})`,
});

/** Running domains whose record or metadata isn't right. */
const ofAssignments = ({ lost, changed, unclear }: Survey): KnownFault[] => [
  ...lost.map(({ domain }) =>
    fault(attachmentOf(aboutDomain(domain)), 'missing', 'it runs, and there is no record of it'),
  ),
  ...changed.map(({ domain, by, why }) => {
    const matter = assignmentOfDomain(aboutDomain(domain));
    return fault(by === 'metadata' ? matter : { ...matter, what: 'uplink' }, 'changed', why);
  }),
  ...unclear.map(one => fault(assignmentOfDomain(aboutDomain(one)), 'changed', one.why)),
];

function leftOver({ ended, damaged, strays, other }: Survey): KnownFault[] {
  const left = (matter: Matter, why: string): KnownFault => fault(matter, 'left over', why);
  return [
    ...ended.map(({ attachment }) =>
      left(attachmentOf(ofAttachment(attachment), attachmentTitle(attachment)), "it doesn't run"),
    ),
    ...damaged.map(({ uuid }) =>
      left(attachmentOf({ domain: null, uuid }), 'it cannot be read, and its domain does not run'),
    ),
    ...strays.map(({ label, why }) => left(ofHost('stray', label), why)),
    ...(other === undefined
      ? []
      : [left(ofHost('filter', `the filter in ${other.name}`), 'another is chosen')]),
  ];
}

const fault = (matter: Matter, is: Fault['is'], why: string, mend: string | null = null): KnownFault => ({
  ...matter,
  is,
  why,
  mend,
});

function ofResource(about: About, { resource, finding }: Checked): KnownFault {
  const is = finding.is === 'changed' || finding.is === 'foreign' ? finding.is : 'missing';
  return fault(matterOf(about, resource), is, whyOf(finding));
}

/** A fault in one line. */
export const faultLine = ({ domain, what, why }: Fault): string =>
  `${domain === null ? '' : `${quote(domain)}: `}${what} (${why})`;
