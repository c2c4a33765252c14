/** What a survey found, as `check` shows it. */
import { attachmentTitle } from '../model/attachment.ts';
import { quote } from '../model/refusal.ts';
import type { Checked } from '../plan/walker.ts';
import type { Survey } from './findings.ts';

/** Something that isn't as it should be. */
export interface Fault {
  /** The domain it belongs to; null: the whole host. */
  readonly domain: string | null;
  readonly uuid: string | null;
  readonly what: string;
  readonly is: 'missing' | 'changed' | 'foreign' | 'left over';
  readonly why: string;
}

type About = Pick<Fault, 'domain' | 'uuid'>;
const HOST: About = { domain: null, uuid: null };

/** Everything that isn't as it should be; empty on a host in order. */
export const faults = (found: Survey): Fault[] => [
  ...found.base.map(checked => ofResource(HOST, checked)),
  ...found.kept.flatMap(({ attachment: { name, domain }, wrong }) =>
    wrong.map(checked => ofResource({ domain: name, uuid: domain }, checked)),
  ),
  ...found.lost.map(({ domain: { name, uuid } }) =>
    fault({ domain: name, uuid }, 'attachment', 'missing', 'it runs, and there is no record of it'),
  ),
  ...found.changed.map(({ domain: { name, uuid }, assignment }) => {
    const why =
      assignment === undefined
        ? 'its metadata holds none any more'
        : 'its metadata has changed while it runs';
    return fault({ domain: name, uuid }, 'assignment', 'changed', why);
  }),
  ...found.unclear.map(({ name, why }) => fault({ domain: name, uuid: null }, 'assignment', 'changed', why)),
  ...found.ended.map(({ attachment }) =>
    fault(
      { domain: attachment.name, uuid: attachment.domain },
      attachmentTitle(attachment),
      'left over',
      "it doesn't run",
    ),
  ),
  ...found.damaged.map(({ uuid }) =>
    fault(
      { domain: null, uuid },
      'attachment',
      'left over',
      'it cannot be read, and its domain does not run',
    ),
  ),
  ...found.strays.map(({ label, why }) => fault(HOST, label, 'left over', why)),
  ...(found.other === undefined
    ? []
    : [fault(HOST, `the filter in ${found.other.name}`, 'left over', 'another is chosen')]),
];

const fault = (about: About, what: string, is: Fault['is'], why: string): Fault => ({
  ...about,
  what,
  is,
  why,
});

function ofResource(about: About, { resource, finding }: Checked): Fault {
  if (finding.is === 'changed' || finding.is === 'foreign')
    return fault(about, resource.label, finding.is, finding.why);
  return fault(about, resource.label, 'missing', 'it is missing');
}

/** A fault in one line. */
export const faultLine = ({ domain, what, why }: Fault): string =>
  `${domain === null ? '' : `${quote(domain)}: `}${what} (${why})`;
