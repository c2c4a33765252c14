/** Reservations in etcd: they hold on every host of the cluster. */
import type { Reservation } from '../model/reservation.ts';
import { OutrunRefusal } from './claims.ts';
import type { Cluster } from './cluster.ts';
import type { Contents } from './contents.ts';
import { reservationKey, sequenceKey } from './keys.ts';
import type { Change } from './transaction.ts';
import { reservationText } from './values.ts';

type Seen = Pick<Contents, 'sequence'>;

/** @throws OutrunRefusal if another host has changed a claim or a reservation since it was looked */
export const keep = (cluster: Cluster, seen: Seen, all: readonly Reservation[]): void =>
  change(
    cluster,
    seen,
    all.map(one => ({ put: reservationKey(cluster.settings, one.address), value: reservationText(one) })),
  );

/** @throws OutrunRefusal as {@link keep} */
export const giveUp = (cluster: Cluster, seen: Seen, one: Reservation): void =>
  change(cluster, seen, [{ delete: reservationKey(cluster.settings, one.address) }]);

function change({ settings, etcd }: Cluster, { sequence }: Seen, operations: readonly Change[]): void {
  const { succeeded, entries } = etcd.transact({
    compare: [{ key: sequenceKey(settings), revision: sequence }],
    success: [{ put: sequenceKey(settings), value: '' }, ...operations],
    failure: operations.map(one => ({ get: 'put' in one ? one.put : one.delete })),
  });
  // An earlier attempt may have succeeded, and its answer was lost.
  const isSo = (one: Change): boolean =>
    'put' in one ? entries.get(one.put)?.value === one.value : !entries.has(one.delete);
  if (!succeeded && !operations.every(isSo))
    throw new OutrunRefusal('another host has changed assignments meanwhile');
}
