/** What a system must configure to use its addresses by itself, whatever system it is. Pure. */
import { format, formatAddress } from '../model/address.ts';
import type { Address } from '../model/assignment.ts';
import type { DhcpConfig } from '../model/config.ts';
import type { Domain, Nic } from '../model/domain.ts';
import { hostName } from '../model/hostname.ts';
import { GATEWAY6 } from '../model/names.ts';
import { addresses, FAMILIES, type Family, isSingle, nth, type Prefix, size } from '../model/prefix.ts';
import { quote, Refusal } from '../model/refusal.ts';

export interface StaticNetwork {
  readonly hostname: string;
  readonly nics: readonly StaticNic[];
  readonly dns: readonly Prefix[];
  readonly search: string;
  /** What a person should know; every format prints it as comments. */
  readonly notes: readonly string[];
}

export interface StaticNic {
  /** The name that its user gave; without one each system's habit serves (`eth0`, `vtnet0`). */
  readonly interface: string | undefined;
  /** Position among all of the machine's interfaces. */
  readonly index: number;
  /** Undefined: the interface is known by its name alone. */
  readonly mac: string | undefined;
  /** Single addresses, IPv4 first. */
  readonly addresses: readonly Prefix[];
  readonly routes: readonly DefaultRoute[];
}

/** A default route; its gateway is on no subnet of the machine's, yet on its wire. */
export interface DefaultRoute {
  readonly gateway: Prefix;
  /** A routing table of its own, for an interface beside the one that carries the main default route. */
  readonly table: number | undefined;
  /** Who uses that table: answers from an address must leave by its own wire, or they count as spoofed. */
  readonly sources: readonly Prefix[];
}

/** An IPv4 subnet's addresses are configured one by one up to this many. */
const LISTED = 16n;
/** Clear of the kernel's own tables (253 to 255) and of what people number from 1. */
const FIRST_TABLE = 100;

export const ofFamily = <T extends Prefix>(family: Family, prefixes: readonly T[]): T[] =>
  prefixes.filter(prefix => prefix.family === family);

/** An address without its length. */
export const bare = (prefix: Prefix): string => formatAddress(prefix.family, prefix.first);

/** A NIC's name by a system's habit, unless its user said it. */
export const nameOf = (nic: StaticNic, habit: string): string => nic.interface ?? `${habit}${nic.index}`;

/**
 * The addresses to configure for an assigned prefix. All of a small IPv4 subnet, for all are usable; of IPv6 one, the
 * second: the first is every router's on that subnet (RFC 4291, 2.6.1).
 */
export function configured(prefix: Prefix): Prefix[] {
  if (isSingle(prefix)) return [prefix];
  if (prefix.family === 6) return [nth(prefix, 1n)];
  return size(prefix) <= LISTED ? [...addresses(prefix)] : [nth(prefix, 0n)];
}

/** The part of a prefix that {@link configured} leaves to its owner. */
function noteOn(prefix: Prefix): string[] {
  const [first, second] = configured(prefix);
  return isSingle(prefix) || first === undefined || second !== undefined
    ? []
    : [`All of ${format(prefix)} is routed here; of it only ${bare(first)} is configured below.`];
}

/**
 * The network of a domain's own system.
 * @param names of its interfaces inside, in order; for those left out the habit of each system serves
 * @throws Refusal if no interface of the domain is on an address's bridge
 */
export function guestNetwork(
  domain: Domain,
  assigned: readonly Address[],
  host: Prefix,
  dhcp: Pick<DhcpConfig, 'dns' | 'domain'>,
  names: readonly string[] = [],
): StaticNetwork {
  const bridges = [...new Set(assigned.map(({ bridge }) => bridge))];
  const families = new Set<Family>();
  const nics = bridges.map(bridge => {
    const prefixes = assigned.filter(address => address.bridge === bridge).map(({ prefix }) => prefix);
    const nic = nicOn(domain, bridge);
    return toNic(domain.nics.indexOf(nic), nic.mac, prefixes, host, families);
  });
  return {
    hostname: hostName(domain.name, domain.uuid).label,
    nics: nics.map((nic, place) => ({ ...nic, interface: names[place] })),
    dns: dhcp.dns.filter(({ family }) => families.has(family)),
    search: dhcp.domain,
    notes: assigned.flatMap(({ prefix }) => noteOn(prefix)),
  };
}

function nicOn(domain: Domain, bridge: string): Nic {
  const nic = domain.nics.find(({ type, source }) => type === 'bridge' && source === bridge);
  if (nic !== undefined) return nic;
  throw new Refusal(
    `Cannot configure ${quote(domain.name)}: none of its interfaces is on ${bridge}; hnet assign puts one there`,
  );
}

/** `families` are those that have their main default route already. */
function toNic(
  index: number,
  mac: string,
  prefixes: readonly Prefix[],
  host: Prefix,
  families: Set<Family>,
): Omit<StaticNic, 'interface'> {
  const routes = FAMILIES.flatMap((family): DefaultRoute[] => {
    const sources = ofFamily(family, prefixes);
    if (sources.length === 0) return [];
    const table = families.has(family) ? FIRST_TABLE + index : undefined;
    families.add(family);
    return [{ gateway: family === 4 ? host : GATEWAY6, table, sources }];
  });
  const all = prefixes.flatMap(configured);
  return { index, mac, addresses: [...ofFamily(4, all), ...ofFamily(6, all)], routes };
}
