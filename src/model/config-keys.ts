/**
 * What the keys of hnet.toml mean, in Markdown; parse-config.ts says what they may be, and its type holds that none is
 * missing here. The manual page hnet.toml(5) and the table of docs/reference.md are made of it.
 */
import type { ConfigFile } from './parse-config.ts';

export interface Key {
  /** What counts where the key is missing. */
  readonly missing: string;
  readonly text: string;
}

type Keys<Table> = { readonly [Name in keyof Table]-?: Key };
type Inner = 'uplinks' | 'dhcp' | 'firewall' | 'history' | 'cluster';
type One<List> = List extends readonly (infer Item)[] ? Item : never;

const DELIVERY = {
  missing: '`"routed"`',
  text: 'how the provider delivers the pools of this family: `"routed"` or `"on-link"`, see [Addresses on the wire](#addresses-on-the-wire)',
};

const main: Keys<Omit<ConfigFile, Inner>> = {
  version: {
    missing: '1',
    text: "of the file's form. hnet refuses a file of a newer version than it knows",
  },
  pools: {
    missing: 'none; required',
    text: "list of the addresses and subnets that the provider routes to this host, of both families. They may not overlap. No scope of `[dhcp]` may contain the host's or the gateway's address, and no IPv4 pool that is routed here either",
  },
  uplink: {
    missing: 'from the default route; `hnet base up` writes it here',
    text: 'interface towards the Internet; a list where several share the default route. The filter stays on it, see [Several ways out of the host](#several-ways-out-of-the-host)',
  },
  host: {
    missing: 'from the default route',
    text: "the host's own address; bootstrap leases are translated to it",
  },
  gateway: {
    missing: 'from the default route',
    text: "the provider's gateway; it is never assigned",
  },
  ipv4: DELIVERY,
  ipv6: DELIVERY,
  mtu: {
    missing: 'as much as the uplink takes',
    text: 'largest packet on the bridges, in bytes, 1280 to 9216; see [Packet size](#packet-size)',
  },
};

const uplinks: Keys<One<NonNullable<ConfigFile['uplinks']>>> = {
  device: {
    missing: 'none; required',
    text: 'interface of a further way to the Internet, see [Further uplinks](#further-uplinks); a list where several share it',
  },
  address: {
    missing: 'from the interface',
    text: "the host's own address there; one of each family as a list",
  },
  gateway: {
    missing: 'none: a tunnel that leads to one place',
    text: "the provider's gateway there; one of each family as a list",
  },
  pools: {
    missing: 'none; required',
    text: 'the addresses and subnets that come by it',
  },
  ipv4: DELIVERY,
  ipv6: DELIVERY,
  mtu: {
    missing: 'that of the interface',
    text: 'largest packet that passes there, in bytes',
  },
};

const dhcp: Keys<NonNullable<ConfigFile['dhcp']>> = {
  mode: {
    missing: '`"bootstrap"`',
    text: 'the mode of domains that were assigned without `--dhcp`: `"bootstrap"`, `"public"` or `"off"`, see [DHCP](#dhcp)',
  },
  scopes: {
    missing:
      '`"172.30.0.0/16"`; install.sh writes another one where something on the host has that, or Docker may take it',
    text: "subnet, or list of subnets (/8 to /28), from which hnet cuts the bridges' private subnets: of a /16 the /24 that bears the address's last octet",
  },
  dns: {
    missing: "Quad9's, of both families",
    text: "name servers that the lease names. install.sh writes the host's own here",
  },
  domain: {
    missing: '`"lan"`',
    text: 'domain name in the lease',
  },
  lease: {
    missing: '`"1h"`',
    text: 'duration of the lease: a number and `s`, `m`, `h` or `d`; at least `2m`',
  },
  ntp: {
    missing: '`[]`',
    text: 'addresses of time servers that the lease names, of both families',
  },
  boot_server: {
    missing: 'the host',
    text: 'IPv4 address of the TFTP server for boot ROMs, see [Booting by network](#booting-by-network)',
  },
  boot_file: {
    missing: 'none',
    text: "what boot ROMs load: a file's name or a URL of at most 127 characters",
  },
  ipxe: {
    missing: 'none',
    text: 'what iPXE loads in its place',
  },
};

const firewall: Keys<NonNullable<ConfigFile['firewall']>> = {
  between_domains: {
    missing: '`true`',
    text: "whether domains of this host reach each other's public addresses",
  },
  backend: {
    missing: '`"auto"`',
    text: 'what the filter is made with: `"iptables"` (with ipset), `"nftables"`, or `"auto"`, see [iptables or nftables](#iptables-or-nftables)',
  },
  outbound_deny: {
    missing: '`[]`',
    text: 'destination ports, addresses and subnets that no domain may reach, outside or at its neighbours, such as `["tcp/25", "198.18.0.0/15"]`. Answers to a denied subnet are dropped too',
  },
  private_destinations: {
    missing: '`"drop"` on uplinks where the host\'s own address is public, else `"allow"`',
    text: 'whether packets to [private and reserved addresses](#private-destinations) leave by an uplink: `"drop"`, `"allow"`, or a list of the subnets that may be reached',
  },
  host_access: {
    missing: '`"open"`',
    text: 'what domains may reach on the host itself, and at ports that it publishes: `"open"` or `"dhcp-only"`',
  },
  inside: {
    missing: '`[]`',
    text: 'interfaces to whose networks domains may open connections, such as `["wg0", "docker0"]`, see [Filtering](#filtering)',
  },
};

const history: Keys<NonNullable<ConfigFile['history']>> = {
  months: {
    missing: '`13`',
    text: 'for how many months the journal of the addresses is kept, 1 to 120',
  },
};

const cluster: Keys<NonNullable<ConfigFile['cluster']>> = {
  name: {
    missing: 'none; required in this table',
    text: "the cluster's name, the same on all of its hosts",
  },
  host: {
    missing: "the system's host name",
    text: "this host's name among them",
  },
  interface: {
    missing: 'none; required in this table',
    text: 'the wire: the interface on which the hosts reach each other',
  },
  address: {
    missing: 'from the interface',
    text: "this host's address there; one of each family as a list",
  },
  etcd: {
    missing: 'none; required in this table',
    text: 'list of the URLs of etcd, such as `["https://10.9.0.1:2379"]`',
  },
  ca: {
    missing: "the system's authorities",
    text: "PEM file of the authority that has signed etcd's certificates",
  },
  cert: {
    missing: 'none',
    text: 'PEM file of the certificate that this host shows to etcd; with `key`',
  },
  key: {
    missing: 'none',
    text: 'PEM file of its key',
  },
  announce: {
    missing: 'none; required in this table',
    text: 'how the world outside learns where an address is: `"on-link"`, `"bgp"` or `"command"`',
  },
  command: {
    missing: '`[]`',
    text: 'program and arguments that hnet runs with `ADDRESS HOST` behind them when an address has come here, with `announce = "command"`: ADDRESS is the entry of `pools` that holds it, HOST is this host',
  },
  reflectors: {
    missing: '`[]`',
    text: 'hosts that hand on to all others which addresses each has (route reflectors), for more than 20 hosts; the same on all of them',
  },
  settle: {
    missing: '`"30s"`',
    text: 'for how long after a move the routes to the new host are preferred: a number and `s`, `m`, `h` or `d`',
  },
  offline: {
    missing: '`"own"`',
    text: 'what a start does while etcd is silent: `"own"` starts what this host has run last and no peer announces, `"refuse"` starts nothing',
  },
};

/** The tables of hnet.toml, each under its header; the main one has none. */
export const CONFIG_KEYS: Readonly<Record<string, Readonly<Record<string, Key>>>> = {
  '': main,
  '[[uplinks]]': uplinks,
  '[dhcp]': dhcp,
  '[firewall]': firewall,
  '[history]': history,
  '[cluster]': cluster,
};
