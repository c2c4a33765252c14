import { addressesOf, type Domain } from '../../model/domain.ts';
import type { Fault } from '../../repair/fault.ts';
import { type Metric, single } from './exposition.ts';

/** What `hnet check` finds: of each running domain that has addresses, and of the rest of the host. */
export function faultMetrics(running: ReadonlyMap<string, Domain>, found: readonly Fault[]): Metric[] {
  const domains = [...running.values()].filter(
    domain => addressesOf(domain).length > 0 || found.some(fault => isAbout(fault, domain)),
  );
  const ofHost = found.filter(fault => !domains.some(domain => isAbout(fault, domain)));
  return [
    {
      name: 'hnet_domain_faults',
      type: 'gauge',
      help: 'What hnet check finds wrong with a running domain, in number.',
      samples: domains.map(domain => [
        { domain: domain.name },
        found.filter(fault => isAbout(fault, domain)).length,
      ]),
    },
    single(
      'hnet_host_faults',
      'What hnet check finds wrong beside the running domains, in number.',
      ofHost.length,
    ),
  ];
}

const isAbout = (fault: Fault, { uuid, name }: { readonly uuid: string; readonly name: string }): boolean =>
  fault.uuid === null ? fault.domain === name : fault.uuid === uuid;
