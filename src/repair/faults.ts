/** What a survey found, as `check` shows it. */
import { format } from '../model/address.ts';
import { attachmentTitle } from '../model/attachment.ts';
import type { Difference } from '../model/difference.ts';
import type { Domain } from '../model/domain.ts';
import { quote } from '../model/refusal.ts';
import type { Checked } from '../plan/walker.ts';
import type { Fault } from './fault.ts';
import type { Survey } from './findings.ts';
import { lackingNext } from './plugs.ts';

type About = Pick<Fault, 'domain' | 'uuid'>;
const HOST: About = { domain: null, uuid: null };

/** What repairs whatever hnet can repair. */
export const REPAIR = 'hnet sync';

/** Everything that isn't as it should be; empty on a host in order. */
export function faults(found: Survey): Fault[] {
  const all = faultsIn(found);
  const mended = new Set(repairable(all));
  return all.map(one => (mended.has(one) ? { ...one, mend: REPAIR } : one));
}

const faultsIn = (found: Survey): Fault[] => [
  ...found.base.map(checked => ofResource(HOST, checked)),
  ...found.kept.flatMap(({ attachment: { name, domain }, wrong }) =>
    wrong.map(checked => ofResource({ domain: name, uuid: domain }, checked)),
  ),
  ...ofAssignments(found),
  ...found.unserved.map(({ attachment: { name, domain }, address, cause }) =>
    fault({ domain: name, uuid: domain }, format(address), 'cut off', cause.why, cause.mend),
  ),
  ...found.unplugged.map(({ attachment: { name, domain }, why }) =>
    fault({ domain: name, uuid: domain }, 'network interface', 'cut off', why),
  ),
  ...leftOver(found),
  ...(found.unasked === undefined ? [] : [fault(HOST, 'running domains', 'unknown', found.unasked)]),
];

/** What running domains would lack at their next start. @param definitions UUID → what it starts from */
export const faultsNext = (
  running: ReadonlyMap<string, Domain>,
  definitions: ReadonlyMap<string, Domain>,
): Fault[] =>
  [...running].flatMap(([uuid, live]) => {
    const next = definitions.get(uuid);
    const lacking = next === undefined ? [] : lackingNext(live, next);
    return lacking.map(why => fault({ domain: live.name, uuid }, 'next start', 'changed', why));
  });

/** Those of the faults that a repair does something about: it doesn't touch a domain in whose place is something foreign. */
export function repairable(all: readonly Fault[]): Fault[] {
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
const ofAssignments = ({ lost, changed, unclear }: Survey): Fault[] => [
  ...lost.map(({ domain: { name, uuid } }) =>
    fault({ domain: name, uuid }, 'attachment', 'missing', 'it runs, and there is no record of it'),
  ),
  ...changed.map(({ domain: { name, uuid }, assignment }) => {
    const now = assignment === undefined ? 'holds none any more' : 'has changed while it runs';
    return fault({ domain: name, uuid }, 'assignment', 'changed', `its metadata ${now}`);
  }),
  ...unclear.map(({ name, why }) => fault({ domain: name, uuid: null }, 'assignment', 'changed', why)),
];

function leftOver({ ended, damaged, strays, other }: Survey): Fault[] {
  const left = (about: About, what: string, why: string): Fault => fault(about, what, 'left over', why);
  return [
    ...ended.map(({ attachment }) =>
      left(
        { domain: attachment.name, uuid: attachment.domain },
        attachmentTitle(attachment),
        "it doesn't run",
      ),
    ),
    ...damaged.map(({ uuid }) =>
      left({ domain: null, uuid }, 'attachment', 'it cannot be read, and its domain does not run'),
    ),
    ...strays.map(({ label, why }) => left(HOST, label, why)),
    ...(other === undefined ? [] : [left(HOST, `the filter in ${other.name}`, 'another is chosen')]),
  ];
}

const fault = (
  about: About,
  what: string,
  is: Fault['is'],
  why: string,
  mend: string | null = null,
): Fault => ({ ...about, what, is, why, mend });

function ofResource(about: About, { resource, finding }: Checked): Fault {
  const is = finding.is === 'changed' || finding.is === 'foreign' ? finding.is : 'missing';
  return fault(about, resource.label, is, 'why' in finding ? finding.why : 'it is missing');
}

/** A fault in one line. */
export const faultLine = ({ domain, what, why }: Fault): string =>
  `${domain === null ? '' : `${quote(domain)}: `}${what} (${why})`;
