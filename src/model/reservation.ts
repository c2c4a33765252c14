/** Addresses that are kept: for the domain of a name, or from anybody. */
import { format } from './address.ts';
import { overlaps, type Prefix } from './prefix.ts';
import { quote, Refusal } from './refusal.ts';

export interface Reservation {
  readonly address: Prefix;
  /** The name of the only domain that it is given to; undefined: no domain. */
  readonly name: string | undefined;
  /** When it was made: ISO 8601, in UTC. */
  readonly since: string;
}

/** The first reservation that keeps an address from the domain of a name. */
export const keptFrom = (
  address: Prefix,
  name: string,
  reservations: readonly Reservation[],
): Reservation | undefined => reservations.find(one => one.name !== name && overlaps(one.address, address));

/**
 * Refuses addresses that are kept from the domain of a name.
 * @throws Refusal that names the reservation, to go on after "Cannot … : "
 */
export function refuseKept(
  addresses: readonly Prefix[],
  name: string,
  reservations: readonly Reservation[],
): void {
  for (const address of addresses) {
    const kept = keptFrom(address, name, reservations);
    if (kept === undefined) continue;
    const part = format(kept.address) === format(address) ? '' : ` with ${format(kept.address)}`;
    throw new Refusal(
      `${format(address)} is reserved${part} ${forWhom(kept)}; hnet reserve --delete ${format(kept.address)} gives it up`,
    );
  }
}

/** `for "web"`, or that nobody gets it. */
export const forWhom = ({ name }: Reservation): string =>
  name === undefined ? 'and given to nobody' : `for ${quote(name)}`;
