/** Keeping addresses for the domain of a name, or from anybody. */
import { format } from '../model/address.ts';
import type { Config } from '../model/config.ts';
import type { Domain } from '../model/domain.ts';
import { contains, equal, overlaps, type Prefix } from '../model/prefix.ts';
import { quote, Refusal, reason } from '../model/refusal.ts';
import { forWhom, type Reservation, refuseKept } from '../model/reservation.ts';
import type { Taken } from './taken.ts';

/** Refuses addresses that are kept from a domain. @throws Refusal */
export function refuseReserved(
  purpose: 'assign' | 'move',
  prefixes: readonly Prefix[],
  { name }: Pick<Domain, 'name'>,
  reservations: readonly Reservation[],
): void {
  try {
    refuseKept(prefixes, name, reservations);
  } catch (error) {
    throw error instanceof Refusal
      ? new Refusal(`Cannot ${purpose} to ${quote(name)}: ${reason(error)}`)
      : error;
  }
}

/**
 * The reservations with another one; it takes the place of one of the same address.
 * @throws Refusal for an address outside of the pools, the host's own, one that another domain holds, or one that overlaps another
 * reservation
 */
export function withReservation(
  one: Reservation,
  reservations: readonly Reservation[],
  { pools }: Pick<Config, 'pools'>,
  taken: Taken,
): Reservation[] {
  const why = obstacleTo(one, reservations, pools, taken);
  if (why !== undefined) throw new Refusal(`Cannot reserve ${format(one.address)}: ${why}`);
  return [...reservations.filter(({ address }) => !equal(address, one.address)), one];
}

function obstacleTo(
  { address, name }: Reservation,
  reservations: readonly Reservation[],
  pools: readonly Prefix[],
  { own, host, peers, holdings }: Taken,
): string | undefined {
  if (!pools.some(pool => contains(pool, address)))
    return `it is outside the pools (${pools.map(format).join(', ') || 'none are configured'}); add its subnet to "pools" in hnet.toml`;
  if ([...own, ...host.map(held => held.address)].some(held => overlaps(address, held)))
    return 'the host or its gateway has it, and no domain gets it in any case';
  const peer = peers.find(held => overlaps(address, held.address));
  if (peer !== undefined) return `${peer.host} has it itself, and no domain gets it in any case`;
  const holder = holdings.find(holding => holding.name !== name && overlaps(holding.address.prefix, address));
  if (holder !== undefined)
    return `domain ${quote(holder.name)} holds ${format(holder.address.prefix)}; hnet unassign releases it`;
  const other = reservations.find(held => !equal(held.address, address) && overlaps(held.address, address));
  return (
    other &&
    `it overlaps ${format(other.address)}, which is reserved ${forWhom(other)}; hnet reserve --delete ${format(other.address)} gives it up`
  );
}
