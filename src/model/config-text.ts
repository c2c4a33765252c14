/** The text of a host's first hnet.toml, which explains each of its lines. */
import { format } from './address.ts';
import type { Delivery } from './config.ts';
import { FAMILIES, type Family, type Prefix } from './prefix.ts';

/** What is known of a way to the Internet before there is a configuration. */
export interface FirstWay {
  /** None where nothing leads to the Internet yet. */
  readonly devices: readonly string[];
  readonly host: Prefix | undefined;
  readonly gateway: Prefix | undefined;
  readonly pools: readonly Prefix[];
  /** How each family's addresses come; undefined where that couldn't be found out. */
  readonly delivery: Readonly<Record<Family, Delivery | undefined>>;
}

interface FirstConfig {
  readonly main: FirstWay;
  readonly further: readonly FirstWay[];
  readonly scopes: Prefix;
  /** Name servers that a guest can reach. */
  readonly dns: readonly string[];
}

export const firstConfig = ({ main, further, scopes, dns }: FirstConfig): string =>
  [topOf(main), dhcpTable(scopes, dns), FIREWALL, HISTORY].join('\n') + further.map(furtherTable).join('');

/** The keys above every table. */
const topOf = (main: FirstWay): string => `\
# hnet. The hook reads this file at every start of a domain; nothing has to be restarted. After a change: hnet sync
# Every key is explained in /usr/share/doc/hnet/docs/reference.md. Which kind of server yours is, and what to write here for
# it: /usr/share/doc/hnet/docs/providers.md

# Addresses and subnets that the provider gives to this host, for its VMs. Every address of a subnet is usable, the first
# and the last included. Those that no domain holds are answered by nobody.
pools = ${listOf(main.pools.map(format))}

# Where the Internet is, and the host's own address there. Without the uplink's name it is read from the default route. With
# it no better default route, of a VPN say, moves it. A list where several interfaces share the default route.
${uplinkLines(main)}

# How the provider hands over the pools: "routed" to this host, or "on-link", where it looks for their addresses on the
# uplink's wire, by ARP or neighbour discovery. hnet doctor finds out.
${deliveryLines(main)}

# The largest packet on the bridges, in bytes, which VMs are told: as much as the uplink takes unless it is set here.
# mtu = 1500
`;

const dhcpTable = (scopes: Prefix, dns: FirstConfig['dns']): string => `\
[dhcp]
# "bootstrap": a domain's DHCP lease is a private address, with which any installer gets on line (by NAT); the
# public address is then configured in the guest.
mode = "bootstrap"
# Where the private subnets of the bridges are cut from. A subnet, or a list of them.
scopes = "${format(scopes)}"
# Name servers that the lease names.
dns = ${listOf(dns)}
# Domain name and time of the lease (such as 30m, 1h, 7d).
domain = "lan"
lease = "1h"
# Time servers that the lease names, as addresses.
# ntp = ["203.0.113.123"]
# What boot ROMs load, and what iPXE loads in its place. The TFTP server is the host unless it is set here.
# boot_server = "203.0.113.5"
# boot_file = "undionly.kpxe"
# ipxe = "http://203.0.113.5/boot.ipxe"
`;

const FIREWALL = `\
[firewall]
# "iptables" (with ipset), "nftables", or "auto": the one that works here, iptables first. After a change: hnet sync
backend = "auto"
# Whether domains of this host reach each other's public addresses.
between_domains = true
# Ports and subnets that no domain reaches, such as ["tcp/25"] against spam.
outbound_deny = []
# Whether domains reach private and reserved addresses (10.0.0.0/8 …) by the uplink: "drop", for providers lock servers
# that scan them, "allow", or a list of those that may be reached. Unless set: "drop" if the host's address is public.
# private_destinations = "drop"
# What domains reach on the host itself: "open" leaves it to the host's own rules, "dhcp-only" means DHCP and ping.
host_access = "open"
# Interfaces of this host, of a VPN or of containers, to whose networks domains may begin connections.
# inside = ["wg0"]
`;

const HISTORY = `\
[history]
# So many months the journal of each address and its traffic are kept.
months = 13
`;

const listOf = (values: readonly string[]): string =>
  `[${values.map(one => JSON.stringify(one)).join(', ')}]`;

function uplinkLines({ devices, host, gateway }: FirstWay): string {
  const shown = devices.length > 1 ? listOf(devices) : JSON.stringify(devices[0] ?? 'eth0');
  return [
    `${devices.length === 0 ? '# ' : ''}uplink = ${shown}`,
    `# host = "${host ? format(host) : '123.45.12.48'}"`,
    `# gateway = "${gateway ? format(gateway) : '123.45.12.1'}"`,
  ].join('\n');
}

const deliveryLines = ({ pools, delivery }: FirstWay): string =>
  FAMILIES.map(family => {
    const line = `ipv${family} = "${delivery[family] ?? 'routed'}"`;
    const has = pools.some(pool => pool.family === family);
    return has && delivery[family] === undefined
      ? `${line}    # it could not be found out when this was written`
      : line;
  }).join('\n');

/** A table of its own, at the end, where no key of another table can follow it. */
const furtherTable = (way: FirstWay): string => `
# A further way to the Internet, by which these pools come. Its gateway is in the same subnet.
[[uplinks]]
device = ${way.devices.length > 1 ? listOf(way.devices) : JSON.stringify(way.devices[0])}
${way.gateway === undefined ? '# gateway = "203.0.113.1"' : `gateway = "${format(way.gateway)}"`}
pools = ${listOf(way.pools.map(format))}
${deliveryLines(way)}
`;
