/** What this host knows of the others, in files, so that neither a start nor a repair asks etcd. */
import * as v from 'valibot';
import { removeWhole, writeAtomically } from '../host/files.ts';
import type { ClusterSettings } from '../model/config.ts';
import { CLUSTER_STATE, RUN_CLUSTER } from '../model/names.ts';
import { readJsonFile } from '../state/json-file.ts';
import { ownName } from './self.ts';
import { type Peer, peerSchema, peerValue, toPeer } from './values.ts';

/** A peer, and when it was last known to be up. */
export interface KnownPeer extends Peer {
  /** ISO 8601, in UTC. */
  readonly seen: string;
  /** Whether etcd has it now. */
  readonly isUp: boolean;
}

const VERSION = 1;
/** The second outlives a reboot. */
export const PEERS_FILES = [RUN_CLUSTER, CLUSTER_STATE].map(directory => `${directory}/peers.json`);

const schema = v.object({
  version: v.literal(VERSION),
  peers: v.array(v.object({ ...peerSchema.entries, seen: v.string(), isUp: v.boolean() })),
});

/**
 * The other hosts of the cluster by their names, also those that are down. None if the file can't be read: then hnet does nothing for
 * peers until the daemon has asked etcd.
 */
export function knownPeers(cluster: Pick<ClusterSettings, 'host'>): KnownPeer[] {
  return noted().filter(({ host }) => host !== ownName(cluster));
}

const noted = (): KnownPeer[] => PEERS_FILES.map(readPeers).find(one => one !== undefined) ?? [];

const readPeers = (file: string): KnownPeer[] | undefined =>
  readJsonFile(file, schema)?.peers.map(({ seen, isUp, ...one }) => ({ ...toPeer(one), seen, isUp }));

/**
 * Notes which hosts are up. Those that aren't any more stay, as they were when they were seen last.
 * @returns whether anything is other than it was noted before
 */
export function notePeers(up: Iterable<Peer>, now: Date): boolean {
  const before = noted();
  const seen = now.toISOString();
  const known = new Map<string, KnownPeer>(
    before.map(one => [one.host, { ...one, isUp: false, seen: one.isUp ? seen : one.seen }]),
  );
  for (const one of up) known.set(one.host, { ...one, seen, isUp: true });
  const peers = [...known.values()].sort((a, b) => (a.host < b.host ? -1 : 1));
  const textOf = (all: readonly KnownPeer[]): string =>
    JSON.stringify(all.map(one => [peerValue(one), one.isUp]));
  const isNew = textOf(peers) !== textOf(before);
  if (isNew) for (const file of PEERS_FILES) writePeers(file, peers);
  return isNew;
}

function writePeers(file: string, known: readonly KnownPeer[]): void {
  const peers = known.map(one => ({ ...peerValue(one), seen: one.seen, isUp: one.isUp }));
  writeAtomically(file, `${JSON.stringify({ version: VERSION, peers }, null, 2)}\n`);
}

/** Forgets all of them, when this host leaves. */
export function forgetPeers(): void {
  for (const file of PEERS_FILES) removeWhole(file);
}
