/** The static network configuration of a system, in no particular format. Pure. */
import { format, formatAddress } from '../model/address.ts';
import type { Address } from '../model/bridge.ts';
import type { DhcpConfig } from '../model/config.ts';
import { type Domain, mtusOf, type Nic } from '../model/domain.ts';
import { hostName } from '../model/hostname.ts';
import { narrowed, USUAL_MTU } from '../model/mtu.ts';
import { GATEWAY6 } from '../model/names.ts';
import { addresses, FAMILIES, type Family, isSingle, nth, type Prefix, size } from '../model/prefix.ts';
import { quote, Refusal } from '../model/refusal.ts';
import type { surroundings } from '../model/uplink.ts';

export interface StaticNetwork {
  readonly hostname: string;
  readonly nics: readonly StaticNic[];
  readonly dns: readonly Prefix[];
  readonly search: string;
  /** Remarks for the administrator, which every format prints as comments. */
  readonly notes: readonly string[];
}

export interface StaticNic {
  /** The name that the user gave; undefined for each system's usual one (`eth0`, `vtnet0`). */
  readonly interface: string | undefined;
  /** Position among all of the machine's interfaces. */
  readonly index: number;
  /** Undefined if the interface is to be matched by name. */
  readonly mac: string | undefined;
  /** In bytes; undefined for the usual one, which every system has by itself. */
  readonly mtu: number | undefined;
  /** Single addresses, IPv4 first. */
  readonly addresses: readonly Prefix[];
  readonly routes: readonly DefaultRoute[];
}

/** A default route. Its gateway is on the machine's wire, but on none of its subnets. */
export interface DefaultRoute {
  readonly gateway: Prefix;
  /** A separate routing table, for interfaces other than the one with the main default route. */
  readonly table: number | undefined;
  /** Packets from these use that table: leaving through another interface they would count as spoofed. */
  readonly sources: readonly Prefix[];
}

/** An MTU as something that has to be said, or not. */
export const unusualMtu = (mtu: number): number | undefined => (mtu === USUAL_MTU ? undefined : mtu);

/** The largest IPv4 subnet of which every address is configured. */
const LISTED = 16n;
/** Far from the kernel's own tables (253 to 255) and from tables that people number from 1. */
const FIRST_TABLE = 100;

export const ofFamily = <T extends Prefix>(family: Family, prefixes: readonly T[]): T[] =>
  prefixes.filter(prefix => prefix.family === family);

/** An address without its length. */
export const bare = (prefix: Prefix): string => formatAddress(prefix.family, prefix.first);

/** The interface's name: what the user gave, or the system's usual prefix and its number. */
export const interfaceName = (nic: StaticNic, habit: string): string =>
  nic.interface ?? `${habit}${nic.index}`;

/** The gateway of a family's main default route, as a list of one; empty for an interface with a table of its own. */
export const mainGateway = ({ routes }: StaticNic, family: Family): string[] =>
  routes
    .filter(({ gateway, table }) => gateway.family === family && table === undefined)
    .map(({ gateway }) => bare(gateway));

/** Makes something of each interface. Name servers and notes are named once, with the first. */
export const perNic = <T>(network: StaticNetwork, make: (nic: StaticNic, own: StaticNetwork) => T): T[] =>
  network.nics.map((nic, place) => make(nic, place === 0 ? network : { ...network, dns: [], notes: [] }));

/** All addresses of a small IPv4 subnet; of an IPv6 subnet the second, as the first is the routers' (RFC 4291, 2.6.1). */
export function configured(prefix: Prefix): Prefix[] {
  if (isSingle(prefix)) return [prefix];
  if (prefix.family === 6) return [nth(prefix, 1n)];
  return size(prefix) <= LISTED ? [...addresses(prefix)] : [nth(prefix, 0n)];
}

/** Says which part of a prefix is not configured here: what is routed on, and what {@link configured} leaves out. */
function noteOn({ prefix, via }: Address): string[] {
  if (via !== undefined)
    return [
      `${format(prefix)} is routed to ${bare(via)}; this system passes it on to whatever is behind it.`,
    ];
  const [first, second] = configured(prefix);
  return isSingle(prefix) || first === undefined || second !== undefined
    ? []
    : [`All of ${format(prefix)} is routed here; of it only ${bare(first)} is configured below.`];
}

/** The network of a domain's own system. @throws Refusal if none of its interfaces is on an address's bridge */
export function guestNetwork(
  domain: Domain,
  assigned: readonly Address[],
  { gateway: host, mtuFor }: ReturnType<typeof surroundings>,
  dhcp: Pick<DhcpConfig, 'dns' | 'domain'>,
  names: readonly string[] = [],
): StaticNetwork {
  const own = assigned.filter(({ via }) => via === undefined);
  const bridges = [...new Set(own.map(({ bridge }) => bridge))];
  const families = new Set<Family>();
  const nics = bridges.map((bridge, place) => {
    const prefixes = own.filter(address => address.bridge === bridge).map(({ prefix }) => prefix);
    const nic = nicOn(domain, bridge);
    return {
      ...toNic(domain.nics.indexOf(nic), nic.mac, prefixes, host, families),
      mtu: unusualMtu(narrowed(mtuFor(prefixes), mtusOf(domain).get(bridge))),
      interface: names[place],
    };
  });
  return {
    hostname: hostName(domain.name, domain.uuid).label,
    nics,
    dns: dhcp.dns.filter(({ family }) => families.has(family)),
    search: dhcp.domain,
    notes: assigned.flatMap(noteOn),
  };
}

function nicOn(domain: Domain, bridge: string): Nic {
  const nic = domain.nics.find(({ type, source }) => type === 'bridge' && source === bridge);
  if (nic !== undefined) return nic;
  throw new Refusal(
    `Cannot configure ${quote(domain.name)}: none of its interfaces is on ${bridge}; hnet assign puts one there`,
  );
}

/** @param families that have their main default route already; extended by those that get it here */
function toNic(
  index: number,
  mac: string,
  prefixes: readonly Prefix[],
  host: Prefix | undefined,
  families: Set<Family>,
): Omit<StaticNic, 'interface' | 'mtu'> {
  const routes = FAMILIES.flatMap((family): DefaultRoute[] => {
    const sources = ofFamily(family, prefixes);
    const gateway = family === 4 ? host : GATEWAY6;
    if (sources.length === 0 || gateway === undefined) return [];
    const table = families.has(family) ? FIRST_TABLE + index : undefined;
    families.add(family);
    return [{ gateway, table, sources }];
  });
  const all = prefixes.flatMap(configured);
  return { index, mac, addresses: [...ofFamily(4, all), ...ofFamily(6, all)], routes };
}
