/** What a host that goes takes with it: by its own will, or dead. */
import type { Entry } from './answer.ts';
import { chunks } from './claims.ts';
import type { Cluster } from './cluster.ts';
import type { Claim, Contents } from './contents.ts';
import { hostKey, placeKey, runKey } from './keys.ts';
import { runText } from './values.ts';

/** A domain that was noted to run on a host. */
export interface Freed {
  readonly uuid: string;
  readonly name: string;
}

/** Domains that run on a host by etcd's word. */
export const runsOn = (
  { runs, places, claims }: Contents,
  host: string,
): (Freed & { readonly entry: Entry })[] =>
  [...runs]
    .filter(([, run]) => run.host === host)
    .map(([uuid, { entry }]) => ({
      uuid,
      name: places.get(uuid)?.name ?? claims.find(({ domain }) => domain === uuid)?.name ?? uuid,
      entry,
    }));

/**
 * Frees what runs on a host, so that others may start it, and forgets that the host is up. What changed since it was looked
 * stays: the host isn't dead.
 * @returns what is free now
 */
export function freeRuns({ settings, etcd }: Cluster, seen: Contents, host: string): Freed[] {
  const freed = chunks(runsOn(seen, host)).flatMap(some => {
    const { succeeded } = etcd.transact({
      compare: some.map(({ uuid, entry }) => ({ key: runKey(settings, uuid), revision: entry.revision })),
      success: some.map(({ uuid }) => ({ delete: runKey(settings, uuid) })),
      failure: [],
    });
    return succeeded ? some : [];
  });
  // What was on its way there stays where it is.
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
 * Takes a host out of the cluster's books: its record, and the notes that domains are defined there. Claims stay, and so do
 * the runs of what runs there.
 * @param isRunning whether a domain runs there
 */
export function withdraw(
  { settings, self, etcd }: Cluster,
  seen: Contents,
  isRunning: (uuid: string) => boolean,
): void {
  const gone = [
    ...runsOn(seen, self)
      .filter(({ uuid }) => !isRunning(uuid))
      .map(({ uuid, entry }) => ({ key: runKey(settings, uuid), revision: entry.revision })),
    ...[...seen.places]
      .filter(([, { host }]) => host === self)
      .map(([uuid, { entry }]) => ({ key: placeKey(settings, uuid), revision: entry.revision })),
  ];
  for (const some of chunks(gone))
    etcd.transact({ compare: some, success: some.map(({ key }) => ({ delete: key })), failure: [] });
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
