import type { ClusterSettings } from '../model/config.ts';
import { CLUSTER_FILE } from '../model/names.ts';
import { remove, write } from './action.ts';
import { ABSENT, changed, PRESENT, type Resource } from './resource.ts';

/** Says that this host is one of several: without it the gate lets no migration through to the hook. */
export function clusterFile({ name, host, wire }: ClusterSettings): Resource {
  const text = JSON.stringify({ name, ...(host && { host }), interface: wire });
  return {
    key: 'cluster file',
    label: `note of the cluster "${name}"`,
    probe: view => {
      const noted = view.sysctl(CLUSTER_FILE);
      if (noted === undefined) return ABSENT;
      return noted === text ? PRESENT : changed('it was another');
    },
    up: () => [write(CLUSTER_FILE, `${text}\n`)],
    down: () => [remove(CLUSTER_FILE)],
  };
}
