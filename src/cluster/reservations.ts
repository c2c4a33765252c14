/** Reservations in etcd: they hold on every host of the cluster. */
import type { Reservation } from '../model/reservation.ts';
import type { Cluster } from './cluster.ts';
import type { Contents } from './contents.ts';
import { reservationKey } from './keys.ts';
import { changeInOrder } from './sequence.ts';
import { reservationText } from './values.ts';

type Seen = Pick<Contents, 'sequence'>;

/** @throws OutrunRefusal if another host has changed a claim or a reservation since they were read */
export function keep(cluster: Cluster, { sequence }: Seen, all: readonly Reservation[]): void {
  changeInOrder(
    cluster,
    sequence,
    all.map(one => ({ put: reservationKey(cluster.settings, one.address), value: reservationText(one) })),
  );
}

/** @throws OutrunRefusal as {@link keep} */
export function giveUp(cluster: Cluster, { sequence }: Seen, one: Reservation): void {
  changeInOrder(cluster, sequence, [{ delete: reservationKey(cluster.settings, one.address) }]);
}
