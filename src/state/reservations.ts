/** The reservations in /var/lib/hnet/reservations.json. */
import * as v from 'valibot';
import { readIfThere, writeAtomically } from '../host/files.ts';
import { format, parsePrefix } from '../model/address.ts';
import { RESERVATIONS_FILE } from '../model/names.ts';
import { compare } from '../model/prefix.ts';
import { Refusal, reason } from '../model/refusal.ts';
import type { Reservation } from '../model/reservation.ts';
import { refuseNewer } from '../model/version.ts';

const VERSION = 1;

const schema = v.object({
  version: v.literal(VERSION),
  reservations: v.array(
    v.object({
      address: v.pipe(v.string(), v.transform(parsePrefix)),
      name: v.nullable(v.string()),
      since: v.string(),
    }),
  ),
});

/**
 * All reservations, by their addresses; none where there is no file.
 * @throws Refusal if the file is damaged, or of a newer version: what it keeps must not be given away
 */
export function readReservations(): Reservation[] {
  const text = readIfThere(RESERVATIONS_FILE);
  if (text === undefined) return [];
  try {
    const value: unknown = JSON.parse(text);
    refuseNewer(value, VERSION);
    const { reservations } = v.parse(schema, value);
    return reservations.map(({ name, ...one }) => ({ ...one, name: name ?? undefined }));
  } catch (error) {
    throw new Refusal(
      `Cannot read ${RESERVATIONS_FILE}: ${reason(error)}; mend it, or remove it to give up all reservations`,
    );
  }
}

/** Writes all reservations; to be called under the `assignments` lock. @throws Error of the system, a full disk say */
export function writeReservations(reservations: readonly Reservation[]): void {
  const sorted = [...reservations].sort((a, b) => compare(a.address, b.address));
  const plain = sorted.map(({ address, name, since }) => ({
    address: format(address),
    name: name ?? null,
    since,
  }));
  writeAtomically(
    RESERVATIONS_FILE,
    `${JSON.stringify({ version: VERSION, reservations: plain }, null, 2)}\n`,
  );
}
