/** A host's record in etcd, which goes with its lease. */
import type { Host } from '../host/host.ts';
import type { EtcdSettings } from '../model/config.ts';
import { Refusal } from '../model/refusal.ts';
import type { Cluster } from './cluster.ts';
import { ask, etcdctl } from './etcdctl.ts';
import { hostKey, rootOf } from './keys.ts';
import { type Peer, peerValue } from './values.ts';

/** For how long a host counts as up after its last sign of life, in seconds. */
const LEASE = 15;

/** Lease IDs have 64 bits; JSON.parse would round them. */
const LEASE_ID = /"ID":(\d+)/;

/**
 * Asks for a lease. @returns its number, as etcdctl reads it
 * @throws Refusal if etcd doesn't answer
 */
export function grantLease(settings: EtcdSettings, host: Pick<Host, 'run'>): string {
  const [, id] = LEASE_ID.exec(ask(settings, ['lease', 'grant', String(LEASE)], '', host)) ?? [];
  if (id === undefined) throw new Refusal('Cannot read what etcdctl printed of a lease');
  return BigInt(id).toString(16);
}

/** Writes the record, until the lease ends. */
export function putRecord({ settings, etcd }: Cluster, record: Peer, lease: string): void {
  etcd.transact({
    compare: [],
    success: [{ put: hostKey(settings, record.host), value: JSON.stringify(peerValue(record)), lease }],
    failure: [],
  });
}

/** Keeps a lease alive for as long as it runs; it ends when the lease is lost. */
export const keepAlive = (settings: EtcdSettings, lease: string): readonly string[] => [
  ...etcdctl(settings),
  'lease',
  'keep-alive',
  lease,
];

/** Prints a line whenever anything changes in the cluster. */
export const watchAll = ({ settings }: Cluster): readonly string[] => [
  ...etcdctl(settings.etcd),
  'watch',
  '--prefix',
  rootOf(settings),
];
