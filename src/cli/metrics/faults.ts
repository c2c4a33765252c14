import type { Host } from '../../host/host.ts';
import type { Config } from '../../model/config.ts';
import { addressesOf } from '../../model/domain.ts';
import { Refusal } from '../../model/refusal.ts';
import { faults, faultsNext } from '../../repair/faults.ts';
import { listDefinitions, listRunning } from '../../repair/listing.ts';
import { settledSurvey } from '../../repair/survey.ts';
import { type Metric, single } from './exposition.ts';

/** What `hnet check` finds: of each running domain that has addresses, and of the rest of the host. */
export function faultMetrics(config: Config, host: Host): Metric[] {
  const listing = listRunning();
  if (listing.running === undefined)
    throw new Refusal(`Cannot see which domains run: ${listing.why}; see: hnet doctor`);
  const found = [
    ...faults(settledSurvey(listing, config, host)),
    ...faultsNext(listing.running, listDefinitions(listing)),
  ];
  const domains = [...listing.running.values()].filter(
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

type Fault = ReturnType<typeof faults>[number];

const isAbout = (fault: Fault, { uuid, name }: { readonly uuid: string; readonly name: string }): boolean =>
  fault.uuid === null ? fault.domain === name : fault.uuid === uuid;
