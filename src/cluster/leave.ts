/** What to remove from etcd when a host leaves, or is dead. */
import type { Entry } from './answer.ts';
import { deleteSeen } from './at-once.ts';
import type { Cluster } from './cluster.ts';
import type { Claim, Contents } from './contents.ts';
import { hostKey, runKey } from './keys.ts';
import { forgetPlaces } from './upkeep.ts';
import { type Named, runText } from './values.ts';

/** Domains that run on a host by etcd's word. */
export const runsOn = (
  { runs, places, claims }: Contents,
  host: string,
): (Named & { readonly entry: Entry })[] =>
  [...runs]
    .filter(([, run]) => run.host === host)
    .map(([uuid, { entry }]) => ({
      uuid,
      name: places.get(uuid)?.name ?? claims.find(({ domain }) => domain === uuid)?.name ?? uuid,
      entry,
    }));

const runKeysOn = ({ settings }: Cluster, seen: Contents, host: string) =>
  runsOn(seen, host).map(({ entry: { revision }, ...one }) => ({
    ...one,
    key: runKey(settings, one.uuid),
    revision,
  }));

/**
 * Frees what runs on a dead host, so that others may start it, and removes the host's record. What has changed since `seen` was read
 * stays: then the host isn't dead.
 * @returns what is free now
 */
export function freeRuns(cluster: Cluster, seen: Contents, host: string): Named[] {
  const { settings, etcd } = cluster;
  const freed = deleteSeen(cluster, runKeysOn(cluster, seen, host));
  // A domain that was migrating to it stays where it is.
  for (const [uuid, { entry, to, ...run }] of seen.runs)
    if (to === host && run.host !== host)
      etcd.transact({
        compare: [{ key: runKey(settings, uuid), revision: entry.revision }],
        success: [{ put: runKey(settings, uuid), value: runText(run) }],
        failure: [],
      });
  etcd.transact({ compare: [], success: [{ delete: hostKey(settings, host) }], failure: [] });
  return freed.map(({ uuid, name }) => ({ uuid, name }));
}

/**
 * Removes this host's record, and the notes that domains are defined here. Claims stay, and so do the runs of domains that
 * still run here.
 * @param isRunning whether a domain runs there
 */
export function withdraw(cluster: Cluster, seen: Contents, isRunning: (uuid: string) => boolean): void {
  const { settings, self, etcd } = cluster;
  deleteSeen(
    cluster,
    runKeysOn(cluster, seen, self).filter(({ uuid }) => !isRunning(uuid)),
  );
  forgetPlaces(cluster, seen, () => false);
  etcd.transact({ compare: [], success: [{ delete: hostKey(settings, self) }], failure: [] });
}

/** Claims whose domain no host has, by their domains. */
export function nobodys({ claims, places, runs }: Contents): Map<string, Claim[]> {
  const found = new Map<string, Claim[]>();
  for (const one of claims)
    if (!places.has(one.domain) && !runs.has(one.domain))
      found.set(one.domain, [...(found.get(one.domain) ?? []), one]);
  return found;
}
