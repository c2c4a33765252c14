/** Chooses what an assignment pins: an address, a bridge name, a scope, so that nothing collides later. */
import { refuseForeignAddresses, refuseHostAddresses, refusePeerAddresses } from '../lifecycle/admission.ts';
import { format } from '../model/address.ts';
import type { Address } from '../model/bridge.ts';
import { bridgeNames } from '../model/bridge-names.ts';
import type { Config } from '../model/config.ts';
import type { HostAddress, PeerAddress } from '../model/host-address.ts';
import { articleScope } from '../model/names.ts';
import {
  addresses,
  contains,
  FAMILIES,
  isAnycast,
  isSingle,
  nth,
  overlaps,
  type Prefix,
  size,
} from '../model/prefix.ts';
import { quote, Refusal } from '../model/refusal.ts';
import type { Reservation } from '../model/reservation.ts';
import type { Uplinks } from '../model/uplink.ts';

/** What is taken already, on this host and by any domain, running or not. */
export interface Taken {
  readonly holdings: readonly Holding[];
  /** The host's own addresses and the gateway. */
  readonly own: readonly Prefix[];
  /** Every address of the host, with its interface. */
  readonly host: readonly HostAddress[];
  /** What other hosts of the cluster have themselves. */
  readonly peers: readonly PeerAddress[];
  /** Names of the host's interfaces that aren't ours. */
  readonly interfaces: ReadonlySet<string>;
  /** Prefixes that the host routes elsewhere, the default route left out. */
  readonly routed: readonly Prefix[];
}

/** An address and the domain that holds it. */
export interface Holding {
  readonly domain: string;
  readonly name: string;
  readonly address: Pick<Address, 'prefix' | 'bridge' | 'scope'>;
  /** The peer on which the domain is; undefined: it is here. */
  readonly host?: string;
  /** Whether it runs there. */
  readonly runs?: boolean;
}

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

/** The most telling bridge name for an address that is free. */
export const freeBridge = (prefix: Prefix, taken: Taken): string =>
  freeName(bridgeNames(prefix), prefix, taken);

export function freeName(names: readonly string[], prefix: Prefix, taken: Taken): string {
  const used = new Set([...taken.interfaces, ...taken.holdings.map(({ address }) => address.bridge)]);
  const name = names.find(candidate => !used.has(candidate));
  if (name === undefined)
    throw new Refusal(`Cannot name a bridge for ${format(prefix)}: ${names.join(', ')} exist already`);
  return name;
}

/** So many whole /24 stay in reserve: each is worth sixteen /28, for hosts with more than 256 addresses. */
const RESERVE = 16;

/**
 * The article's scope (172.30.<last octet>.0/24) while it is free and plenty are left, or in another range the /24 of the
 * same number; else the first /24 under the same condition; else the first free /28. So a 172.30.0.0/16 serves 240 addresses in the article's
 * way and 256 more in small scopes, where the bootstrap lease comes from fewer addresses; one is needed.
 * @throws Refusal if nothing is left
 */
export function freeScope(prefix: Prefix | undefined, ranges: readonly Prefix[], taken: Taken): Prefix {
  const used = [...taken.holdings.map(({ address }) => address.scope), ...taken.routed];
  const whole = firstFree(ranges, 24, used, RESERVE + 1);
  const [first] = whole;
  if (first !== undefined && whole.length > RESERVE) {
    const isFree = (scope: Prefix): boolean =>
      ranges.some(range => contains(range, scope)) && !used.some(one => overlaps(one, scope));
    const likely =
      prefix === undefined ? [] : [articleScope(prefix), ...ranges.map(range => numbered(range, prefix))];
    return likely.find(isFree) ?? first;
  }
  // In a /24 already begun, so that whole ones stay whole as long as possible.
  const begun = used
    .filter(({ length }) => length > 24)
    .map(({ family, first }) => ({ family, first: first & ~255n, length: 24 }));
  const inRanges = begun.filter(one => ranges.some(range => contains(range, one)));
  const small = firstFree(inRanges, 28, used, 1)[0] ?? firstFree(ranges, 28, used, 1)[0];
  if (small !== undefined) return small;
  throw new Refusal(
    `Cannot find a free bootstrap scope in ${ranges.map(format).join(', ')}: add a range to "scopes" in hnet.toml`,
  );
}

/** The /24 of a range that bears an address's last octet: 10.30.116.0/24 of 10.30.0.0/16. */
const numbered = ({ family, first }: Prefix, address: Prefix): Prefix => ({
  family,
  first: first + ((address.first & 255n) << 8n),
  length: 24,
});

/** The first `count` subnets of a length that overlap nothing used. */
function firstFree(
  ranges: readonly Prefix[],
  length: number,
  used: readonly Prefix[],
  count: number,
): Prefix[] {
  const step = 1n << BigInt(32 - length);
  const isUsed = membership(used, length);
  const free: Prefix[] = [];
  for (const range of ranges.filter(one => one.length <= length)) {
    for (let offset = 0n; offset < size(range) && free.length < count; offset += step) {
      const subnet = { ...nth(range, offset), length };
      if (!isUsed(subnet.first)) free.push(subnet);
    }
  }
  return free;
}

/**
 * Whether a subnet of a length overlaps anything used: asked of one set for each length that occurs, not of every
 * used prefix, of which there may be thousands.
 */
function membership(used: readonly Prefix[], length: number): (first: bigint) => boolean {
  const sets = new Map<number, Set<bigint>>();
  for (const prefix of used) {
    const shorter = Math.min(prefix.length, length);
    const firsts = sets.get(shorter) ?? new Set();
    sets.set(shorter, firsts.add(start(prefix.first, shorter)));
  }
  return first => [...sets].some(([shorter, firsts]) => firsts.has(start(first, shorter)));
}

const start = (address: bigint, length: number): bigint =>
  (address >> BigInt(32 - length)) << BigInt(32 - length);

/**
 * Everything an assignment of one address pins. Further addresses of a domain share its bridge and scope.
 * @param scope what the operator has chosen
 */
export function pin(
  prefix: Prefix,
  ranges: readonly Prefix[],
  taken: Taken,
  sharedWith: Address | undefined,
  scope?: Prefix,
): Address {
  if (sharedWith !== undefined) return { prefix, bridge: sharedWith.bridge, scope: sharedWith.scope };
  return { prefix, bridge: freeBridge(prefix, taken), scope: scope ?? freeScope(prefix, ranges, taken) };
}
