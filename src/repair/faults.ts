/** What a survey found, as `check` shows it and as a repair counts it. */

import { attachmentTitle } from '../model/attachment.ts';
import { quote } from '../model/refusal.ts';
import type { Finding } from '../resources/resource.ts';
import type { Survey } from './survey.ts';

/** Something that isn't as it should be. */
export interface Fault {
  /** The domain it belongs to; null: the whole host. */
  readonly domain: string | null;
  readonly uuid: string | null;
  readonly what: string;
  readonly is: 'missing' | 'changed' | 'foreign' | 'left over';
  readonly why: string;
}

/** Everything that isn't as it should be; empty on a host in order. */
export function faults(found: Survey): Fault[] {
  const host = { domain: null, uuid: null };
  return [
    ...found.base.map(({ resource, finding }) => ({ ...host, what: resource.label, ...say(finding) })),
    ...found.kept.flatMap(({ attachment: { name, domain }, wrong }) =>
      wrong.map(({ resource, finding }) => ({
        domain: name,
        uuid: domain,
        what: resource.label,
        ...say(finding),
      })),
    ),
    ...found.lost.map(({ domain }) =>
      of(domain, 'attachment', 'missing', 'it runs, and there is no record of it'),
    ),
    ...found.changed.map(({ domain, assignment }) =>
      of(
        domain,
        'assignment',
        'changed',
        assignment === undefined
          ? 'its metadata holds none any more'
          : 'its metadata has changed while it runs',
      ),
    ),
    ...found.unclear.map(({ name, why }) => ({
      ...host,
      domain: name,
      what: 'assignment',
      is: 'changed' as const,
      why,
    })),
    ...found.ended.map(one => ({
      ...host,
      domain: one.name,
      uuid: one.domain,
      what: attachmentTitle(one),
      is: 'left over' as const,
      why: "it doesn't run",
    })),
    ...found.damaged.map(uuid => ({
      ...host,
      uuid,
      what: 'attachment',
      is: 'left over' as const,
      why: 'it cannot be read, and its domain does not run',
    })),
    ...found.strays.map(({ label, why }) => ({ ...host, what: label, is: 'left over' as const, why })),
    ...(found.other === undefined
      ? []
      : [
          {
            ...host,
            what: `the filter in ${found.other.name}`,
            is: 'left over' as const,
            why: 'another is chosen',
          },
        ]),
  ];
}

/** Whether there is anything that a repair can do. */
export const needsRepair = (found: Survey): boolean =>
  faults({ ...found, unclear: [] }).length > 0 ||
  found.kept.some(({ attachment }) => attachment.backend !== found.firewall.name);

const of = (
  domain: { readonly name: string; readonly uuid: string },
  what: string,
  is: Fault['is'],
  why: string,
): Fault => ({ domain: domain.name, uuid: domain.uuid, what, is, why });

function say(finding: Finding): Pick<Fault, 'is' | 'why'> {
  if (finding.is === 'changed' || finding.is === 'foreign') return finding;
  return { is: 'missing', why: 'it is missing' };
}

/** A fault in one line. */
export const describe = ({ domain, what, why }: Fault): string =>
  `${domain === null ? '' : `${quote(domain)}: `}${what} (${why})`;
