import * as v from 'valibot';
import { readShortIfThere } from '../../host/files.ts';
import type { Host } from '../../host/host.ts';
import { listIn } from '../../host/query.ts';
import { FAMILIES, type Family } from '../../model/prefix.ts';
import type { Metric, Sample } from './exposition.ts';

/** How full the kernel's tables are whose end cuts domains off: neighbours, and tracked connections. */
export const tableMetrics = (host: Host): Metric[] => [
  gauge(
    'hnet_neighbour_entries',
    'Entries of the neighbour table, without permanent ones, which do not count against its limit.',
    FAMILIES.map((family): Sample => [labelOf(family), neighbours(family, host)]),
  ),
  gauge(
    'hnet_neighbour_limit_entries',
    'So many entries the neighbour table takes (gc_thresh3).',
    FAMILIES.flatMap(family =>
      numberIn(thresholdOf(family)).map((limit): Sample => [labelOf(family), limit]),
    ),
  ),
  // The kernel has these files only while connections are tracked.
  ...fromFile('hnet_conntrack_entries', 'Connections that the kernel tracks.', 'nf_conntrack_count'),
  ...fromFile('hnet_conntrack_limit_entries', 'So many connections the kernel tracks.', 'nf_conntrack_max'),
];

const gauge = (name: string, help: string, samples: readonly Sample[]): Metric => ({
  name,
  type: 'gauge',
  help,
  samples,
});

const fromFile = (name: string, help: string, file: string): Metric[] =>
  numberIn(`/proc/sys/net/netfilter/${file}`).map(value => gauge(name, help, [[{}, value]]));

const labelOf = (family: Family) => ({ family: `ipv${family}` });
const thresholdOf = (family: Family): string => `/proc/sys/net/ipv${family}/neigh/default/gc_thresh3`;

const numberIn = (path: string): number[] => {
  const text = readShortIfThere(path)?.trim() ?? '';
  return /^\d+$/.test(text) ? [Number(text)] : [];
};

const neighbour = v.object({ state: v.optional(v.array(v.string()), []) });

function neighbours(family: Family, host: Host): number {
  const entries = listIn(host.run(['ip', '-json', `-${family}`, 'neighbour', 'show']));
  return entries.filter(one => !v.parse(neighbour, one).state.includes('PERMANENT')).length;
}
