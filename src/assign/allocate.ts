/** Chooses addresses that nobody has, and refuses those that somebody does. */
import { refuseForeignAddresses, refuseHostAddresses, refusePeerAddresses } from '../lifecycle/admission.ts';
import { format } from '../model/address.ts';
import type { Config } from '../model/config.ts';
import {
  addresses,
  contains,
  FAMILIES,
  isAnycast,
  isSingle,
  nth,
  overlaps,
  type Prefix,
} from '../model/prefix.ts';
import { quote, Refusal } from '../model/refusal.ts';
import type { Reservation } from '../model/reservation.ts';
import type { Uplinks } from '../model/uplink.ts';
import type { Holding, Taken } from './taken.ts';

/**
 * An address of each family that the pools have: those that are reserved for a domain of this name, or else the first that nobody
 * holds, and beside an IPv4 address the IPv6 one that ends as it does (123.45.90.116 and 2001:db8:12:48::116), where that is free.
 * @throws Refusal if there is none
 */
export function freeAddresses(
  pools: readonly Prefix[],
  taken: Taken,
  reservations: readonly Reservation[] = [],
  name?: string,
): Prefix[] {
  const vacant = vacancy(taken);
  const isFree: IsFree = address =>
    vacant(address) && !reservations.some(one => overlaps(one.address, address));
  const own = reservations.filter(one => name !== undefined && one.name === name && isNobodys(one, taken));
  const [ipv4, ipv6] = FAMILIES.map(family => ({
    own: own.map(({ address }) => address).filter(address => address.family === family),
    pools: pools.filter(pool => pool.family === family),
  }));
  const first = chosen(ipv4, isFree, () => undefined);
  const second = chosen(ipv6, isFree, () => first[0] && twin(first[0], ipv6?.pools ?? [], isFree));
  // Without a pool this refuses.
  return first.length + second.length > 0 ? [...first, ...second] : [firstAddress(pools, isFree)];
}

const isNobodys = ({ address }: Reservation, { holdings }: Taken): boolean =>
  !holdings.some(holding => overlaps(holding.address.prefix, address));

/** Of one family. @param better what is taken before the first that is free */
function chosen(
  family: { readonly own: readonly Prefix[]; readonly pools: readonly Prefix[] } | undefined,
  isFree: IsFree,
  better: () => Prefix | undefined,
): readonly Prefix[] {
  if (family === undefined || family.own.length + family.pools.length === 0) return [];
  return family.own.length > 0 ? family.own : [better() ?? firstAddress(family.pools, isFree)];
}

type IsFree = (address: Prefix) => boolean;

/** Who may have an address. */
export type Held = Pick<Taken, 'holdings' | 'own' | 'host' | 'peers'>;

/** Whether an address is nobody's. */
export function vacancy({ holdings, own, host, peers }: Held): IsFree {
  const held = [
    ...holdings.map(({ address }) => address.prefix),
    ...own,
    ...[...host, ...peers].map(({ address }) => address),
  ];
  const ranges = held.filter(prefix => !isSingle(prefix));
  const singles = new Set(held.filter(isSingle).map(format));
  return address => !singles.has(format(address)) && !ranges.some(range => contains(range, address));
}

/** In ascending order within each pool. */
function firstAddress(pools: readonly Prefix[], isFree: IsFree): Prefix {
  for (const pool of pools) {
    for (const address of addresses(pool)) if (!isAnycast(address, [pool]) && isFree(address)) return address;
  }
  throw new Refusal(
    `Cannot assign an address: all of the pools (${pools.map(format).join(', ') || 'none'}) are taken`,
  );
}

/** The digits of the IPv4 address's last octet, read as hexadecimal ones, at the end of an IPv6 address. */
function twin({ first }: Prefix, pools: readonly Prefix[], isFree: IsFree): Prefix | undefined {
  const tail = BigInt(`0x${first & 255n}`);
  return pools
    .map(pool => nth(pool, tail))
    .find((one, index) => {
      const pool = pools[index];
      return pool !== undefined && contains(pool, one) && !isAnycast(one, [pool]) && isFree(one);
    });
}

/**
 * Refuses what isn't the operator's to give.
 * @param purpose what can't be done with it, after "Cannot"
 */
export function refuseForeign(
  purpose: string,
  prefixes: readonly Prefix[],
  config: Config,
  taken: Taken,
  uplinks: Uplinks,
): void {
  try {
    refuseForeignAddresses(prefixes, config, taken.own);
    refuseHostAddresses(prefixes, taken.host, uplinks);
    refusePeerAddresses(prefixes, taken.peers);
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(`Cannot ${purpose}: ${error.message}`) : error;
  }
}

/** Refuses an address that another domain holds, wholly or in part. */
export function refuseHeld(prefix: Prefix, domain: string, taken: Taken): void {
  const other = taken.holdings.find(
    holding => holding.domain !== domain && overlaps(holding.address.prefix, prefix),
  );
  if (other === undefined) return;
  const part =
    format(other.address.prefix) === format(prefix) ? '' : ` as part of ${format(other.address.prefix)}`;
  throw new Refusal(
    `Cannot assign ${format(prefix)}: domain ${quote(other.name)} ${whereOf(other)}holds it${part}; hnet unassign releases it`,
  );
}

const whereOf = ({ host }: Holding): string => (host === undefined ? '' : `on ${host} `);
