/** The names of everything that hnet makes. None is derived from a domain's name, which may be `..` or `$(id)`. */
import { type Family, nth, type Prefix, size } from './prefix.ts';

/** Namespace of our element in a domain's metadata. */
export const METADATA_NAMESPACE = 'urn:hnet:1';

/** Device group of our bridges ("hn" in ASCII), by which the filter recognises them. */
export const DEVICE_GROUP = 0x686e;

/** Routing protocol number of our routes ("h" in ASCII; unassigned in iproute2's rt_protos). */
export const ROUTE_PROTOCOL = 104;

/** Our own routing tables, one for each way to the Internet. */
const ROUTE_TABLE = DEVICE_GROUP;
const TABLES = 64;
export const tableOfWay = (way: number): number => ROUTE_TABLE + way;
export const isOwnTable = (table: number): boolean => table >= ROUTE_TABLE && table < ROUTE_TABLE + TABLES;
/** The preference of the rules that lead to them: just before those of tailscale, 5210. */
export const RULE_PREFERENCE = 5200;

/** Metric of the route to a domain's address. With IPv6, 0 would mean the kernel's default of 1024. */
export const HOST_METRIC: Readonly<Record<Family, number>> = { 4: 0, 6: 100 };

/**
 * Metric of a pool's blackhole route: worse than that of domains' addresses. In IPv6 it is better than the uplink's own
 * subnet, 256, which often is the pool: or the host would solicit each address that somebody scans.
 */
export const POOL_METRIC: Readonly<Record<Family, number>> = { 4: 1_000_000, 6: 200 };

/** Runtime state, lost at a reboot together with the kernel's. */
export const RUN_DIRECTORY = '/run/hnet';
export const ATTACHMENTS_DIRECTORY = `${RUN_DIRECTORY}/attachments`;
export const CLAIMS_DIRECTORY = `${RUN_DIRECTORY}/claims`;
export const DHCP_DIRECTORY = `${RUN_DIRECTORY}/dhcp`;
export const NDP_DIRECTORY = `${RUN_DIRECTORY}/ndp`;
/** What outlives a reboot: leases and counters. */
export const STATE_DIRECTORY = '/var/lib/hnet';
export const LEASES_DIRECTORY = `${STATE_DIRECTORY}/leases`;
/** What has happened to each address, a file for each month. */
export const JOURNAL_DIRECTORY = `${STATE_DIRECTORY}/journal`;
/** Addresses that are kept for a domain of a name, or from anybody. */
export const RESERVATIONS_FILE = `${STATE_DIRECTORY}/reservations.json`;
/** How far the daemon has told the programs in EVENTS_DIRECTORY what has happened. */
export const EVENTS_FILE = `${STATE_DIRECTORY}/events.json`;
/** The uplink that the filter is made for. */
export const UPLINK_FILE = `${RUN_DIRECTORY}/uplink`;
/** The configuration that was applied last and left the host reachable; one that is being tried; one that cut it off. */
export const PROVEN_FILE = `${RUN_DIRECTORY}/hnet.toml`;
/** When hnet last repaired, and whether all was well then. */
export const SYNC_FILE = `${RUN_DIRECTORY}/sync.json`;
export const CONTESTS_FILE = `${RUN_DIRECTORY}/contests.json`;
export const TRIAL_FILE = `${RUN_DIRECTORY}/hnet.toml.trial`;
export const REJECTED_FILE = `${RUN_DIRECTORY}/hnet.toml.rejected`;
/** The cluster's settings that are in force; the gate looks for it. Its other files of this boot lie beside. */
export const RUN_CLUSTER = `${RUN_DIRECTORY}/cluster`;
export const CLUSTER_FILE = `${RUN_CLUSTER}/settings.json`;
/** Domains whose move to this host has begun, a file each. */
export const INCOMING_DIRECTORY = `${RUN_CLUSTER}/incoming`;
/** What is known of peers, and kept over a reboot. */
export const CLUSTER_STATE = `${STATE_DIRECTORY}/cluster`;
export const CONFIG_FILE = '/etc/hnet/hnet.toml';
/** The operator's programs that the daemon tells what happens to addresses. */
export const EVENTS_DIRECTORY = '/etc/hnet/events.d';

/** The files of a bridge's servers, and what its DHCP server has leased. */
export const configurationFile = (bridge: string): string => `${DHCP_DIRECTORY}/${bridge}.conf`;
export const pidFile = (bridge: string): string => `${DHCP_DIRECTORY}/${bridge}.pid`;
/** The last words of its DHCP server: why one that ended did. */
export const wordsFile = (bridge: string): string => `${DHCP_DIRECTORY}/${bridge}.words`;
export const leaseFile = (bridge: string): string => `${LEASES_DIRECTORY}/${bridge}.leases`;
export const responderFile = (bridge: string): string => `${NDP_DIRECTORY}/${bridge}.conf`;
export const responderPid = (bridge: string): string => `${NDP_DIRECTORY}/${bridge}.pid`;

/** An interface name fits IFNAMSIZ with its final NUL: 15 bytes. */
export const INTERFACE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/;

/** A MAC address as libvirt and dnsmasq write it. */
export const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/;

export const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

/** The link alias that says whose bridge it is. */
export const linkAlias = (domain: string): string => `hnet ${domain}`;

/** The domain a link alias names, or undefined if the link isn't ours. */
export function aliasOwner(alias: string): string | undefined {
  const [, domain = ''] = /^hnet (.*)$/.exec(alias) ?? [];
  return isUuid(domain) ? domain : undefined;
}

/** The usual bootstrap scope of an address: 172.30.<last octet>.0/24; of an IPv6 address the last byte. */
export function articleScope(address: Prefix): Prefix {
  return { family: 4, first: 0xac1e0000n + ((address.first & 255n) << 8n), length: 24 };
}

/** The host's address on a bridge: the first usable one of its scope. */
export const gatewayOf = (scope: Prefix): Prefix => nth(scope, 1n);

/** What the DHCP server leases of a scope: .10 to .200 in the article's /24, in a smaller one all but the host's and the ends. */
export function leasedOf(scope: Prefix): readonly [first: Prefix, final: Prefix] {
  const [first, final] = scope.length <= 24 ? [10n, 200n] : [2n, size(scope) - 2n];
  return [nth(scope, first), nth(scope, final)];
}

/** The TCP port from which a VM's ports are called, to see whether anybody listens there: that of our mark, which is nobody's. */
export const CALLER = DEVICE_GROUP;

/** The host's link-local address on every bridge, fe80::1: a guest's IPv6 gateway. */
export const GATEWAY6: Prefix = { family: 6, first: (0xfe80n << 112n) | 1n, length: 128 };

/**
 * A bridge's private IPv6 subnet, fd68:6e: and the IPv4 scope in hex: dnsmasq serves DHCPv6 only where there is more than a
 * link-local address. Nothing is sent from it, so it needs none of the randomness of RFC 4193.
 */
export const privateSubnet = (scope: Prefix): Prefix => ({
  family: 6,
  first: (0xfd68006en << 96n) | (scope.first << 64n),
  length: 64,
});

/** The name of a bridge from the end of its domain until it is deleted. Its alias still says whose it was. */
export const leavingName = (bridge: string): string => `hnet-${digest(bridge)}`;
export const LEAVING_NAME = /^hnet-[0-9a-f]{8}$/;

/**
 * The bridge's MAC: 02:68 (locally administered, "h") and the gateway's IPv4 address in hex. So a guest's ARP entry stays
 * right over restarts, and when addresses change.
 */
export function bridgeMac(scope: Prefix): string {
  const hex = `0268${gatewayOf(scope).first.toString(16).padStart(8, '0')}`;
  return hex.replace(/(..)(?!$)/g, '$1:');
}

/** A short fingerprint (FNV-1a, 32 bit) to recognise our own text again; not for security. */
export function digest(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
