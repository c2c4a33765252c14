/** Changes of what all hosts choose by: claims and reservations. */
import { Refusal } from '../model/refusal.ts';
import type { Cluster } from './cluster.ts';
import { sequenceKey } from './keys.ts';
import type { Change } from './transaction.ts';

/** Another host has changed claims since they were read: what was chosen may be taken by now. Nothing was written. */
export class OutrunRefusal extends Refusal {
  override readonly name = 'OutrunRefusal';
}

/**
 * Makes some changes at once, if nobody has changed a claim or a reservation since `sequence` was read.
 * @returns the revision in which they were written
 * @throws OutrunRefusal if somebody has
 */
export function changeInOrder(
  { settings, etcd }: Cluster,
  sequence: number,
  changes: readonly Change[],
): number {
  const key = sequenceKey(settings);
  const { succeeded, revision, entries } = etcd.transact({
    compare: [{ key, revision: sequence }],
    success: [{ put: key, value: '' }, ...changes],
    failure: [{ get: key }, ...changes.map(one => ({ get: 'put' in one ? one.put : one.delete }))],
  });
  if (succeeded) return revision;
  // An earlier attempt may have succeeded, and its answer was lost: then it wrote all of them at once, and nobody wrote since.
  const now = entries.get(key)?.revision ?? 0;
  const isDone = changes.every(one => {
    if ('delete' in one) return !entries.has(one.delete);
    const entry = entries.get(one.put);
    return entry?.value === one.value && entry.revision === now;
  });
  if (!isDone || now === sequence) throw new OutrunRefusal('another host has changed assignments meanwhile');
  return now;
}
