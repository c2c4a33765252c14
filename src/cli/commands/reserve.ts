import { changing } from '../../assign/change.ts';
import { inventory } from '../../assign/inventory.ts';
import { withReservation } from '../../assign/reserve.ts';
import { reservationsIn, sharing } from '../../assign/shared.ts';
import { giveUp as giveUpInCluster, keep as keepInCluster } from '../../cluster/reservations.ts';
import type { Context } from '../../host/context.ts';
import { withLock } from '../../host/lock.ts';
import { readNetworkWithUplinks } from '../../host/observe/view.ts';
import { format, parsePrefix, parseRoutable } from '../../model/address.ts';
import { equal, type Prefix } from '../../model/prefix.ts';
import { asUsage, Refusal, UsageRefusal } from '../../model/refusal.ts';
import { forWhom, type Reservation } from '../../model/reservation.ts';
import { shownTime } from '../../model/time.ts';
import { writeReservations } from '../../state/reservations.ts';
import { table } from '../table.ts';
import { reservationShown } from '../views/pools.ts';

/** Shows what is reserved, reserves an address for the domain of a name, or from anybody, or gives a reservation up. */
export function reserve(
  text: string | undefined,
  name: string | undefined,
  options: { delete?: boolean },
  context: Context,
): void {
  if (options.delete) giveUp(text, name, context);
  else if (text !== undefined) keep(text, name, context);
  else sharing(context, shared => show(reservationsIn(shared), context));
}

function keep(text: string, name: string | undefined, context: Context): void {
  const address = asUsage(() => parseRoutable(text), 'reserve');
  if (name === '') throw new UsageRefusal('Cannot reserve an address for "": no domain has an empty name');
  changing(context, libvirt =>
    sharing(context, shared => {
      const config = context.config();
      const seen = readNetworkWithUplinks(context.host, config);
      const taken = inventory(libvirt.domains(), seen, config, shared?.seen);
      const one: Reservation = { address, name, since: new Date().toISOString() };
      const all = withReservation(one, reservationsIn(shared), config, taken);
      if (shared !== undefined) keepInCluster(shared.cluster, shared.seen, [one]);
      writeReservations(all);
      context.print(`${format(address)} is reserved ${forWhom(one)}`);
      answer(all, context);
    }),
  );
}

function giveUp(text: string | undefined, name: string | undefined, context: Context): void {
  if (text === undefined || name !== undefined)
    throw new UsageRefusal(
      'Cannot give up a reservation: --delete takes one address; hnet reserve lists them',
    );
  const address = asUsage(() => parsePrefix(text), 'give up a reservation');
  withLock('assignments', 'exclusive', context.host, () =>
    sharing(context, shared => {
      const all = reservationsIn(shared);
      const gone = all.find(one => equal(one.address, address));
      if (gone === undefined) throw new Refusal(lacking(address, all));
      if (shared !== undefined) giveUpInCluster(shared.cluster, shared.seen, gone);
      const rest = all.filter(one => one !== gone);
      writeReservations(rest);
      context.print(`${format(address)} is no longer reserved`);
      answer(rest, context);
    }),
  );
}

const lacking = (address: Prefix, all: readonly Reservation[]): string =>
  `Cannot give up ${format(address)}: it isn't reserved; reserved are ${all.map(one => format(one.address)).join(', ') || 'none'}`;

function show(all: readonly Reservation[], context: Context): void {
  answer(all, context);
  if (all.length === 0) {
    context.print(
      'Nothing is reserved; hnet reserve ADDRESS NAME keeps an address for a domain of that name',
    );
    return;
  }
  const cells = all.map(({ address, name, since }) => [
    format(address),
    name ?? '(nobody)',
    shownTime(since),
  ]);
  for (const line of table(['ADDRESS', 'FOR', 'SINCE'], cells, context.colour)) context.print(line);
}

const answer = (all: readonly Reservation[], context: Context): void =>
  context.answer({ reservations: all.map(reservationShown) });
