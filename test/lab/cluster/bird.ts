import { GATEWAY, GATEWAY6, isIpv6, type Site, type WireEnd } from '../site.ts';

/** The provider's autonomous system, the one that hosts are to it, and the one that they are among themselves. */
const PROVIDER = 64999;
const CUSTOMER = 65001;
const HOSTS = 65000;

/** A host on the wire. */
export interface Wired extends Site {
  readonly wire: WireEnd;
}

const FAMILIES = ['ipv4', 'ipv6'] as const;
type Family = (typeof FAMILIES)[number];

export interface HostBird {
  readonly host: Wired;
  readonly peers: readonly Wired[];
  readonly pools: readonly string[];
  /** Whether the provider is told as well. */
  readonly upstream: boolean;
}

/** What a host's BIRD does: it tells the others, and perhaps the provider, which routes of hnet's the kernel has. */
export function hostBird(options: HostBird): string {
  const { host } = options;
  return `router id ${host.wire.address};
protocol device { }
protocol bfd { interface "eth1" { interval 100 ms; multiplier 3; }; }
${FAMILIES.map(family => hostFamily(family, options)).join('')}`;
}

function hostFamily(family: Family, { host, peers, pools, upstream }: HostBird): string {
  const [n, address] = family === 'ipv4' ? [4, host.wire.address] : [6, host.wire.address6];
  const own = pools.filter(pool => isIpv6(pool) === (family === 'ipv6')).map(withLonger);
  const sessions = peers.map(({ name, wire }) => {
    const peer = family === 'ipv4' ? wire.address : wire.address6;
    return `protocol bgp ${name}_${n} from host${n} { neighbor ${peer} as ${HOSTS}; }\n`;
  });
  // hnet's own routes: in IPv6 the kernel's metric of none is 1024, but hnet always gives one.
  return `define POOLS${n} = [ ${own.join(', ')} ];
filter hnet${n} {
  if krt_source != 104 || dest != RTD_UNICAST || net !~ POOLS${n} then reject;
  if krt_metric = 50 then { preference = 200; bgp_local_pref = 200; bgp_med = 50; }
  else if krt_metric = 175 then { preference = 50; bgp_local_pref = 50; bgp_med = 200; }
  else if krt_metric = 190 then { preference = 40; bgp_local_pref = 40; bgp_med = 250; }
  else { preference = 200; bgp_local_pref = 100; bgp_med = 100; }
  accept;
}
filter peer${n} {
  if net !~ POOLS${n} then reject;
  if bgp_local_pref = 200 then preference = 210;
  if bgp_local_pref = 40 then preference = 30;
  accept;
}
protocol kernel kernel${n} {
  learn; metric 150; scan time 10; netlink rx buffer 4194304; graceful restart;
  ${family} { import filter hnet${n}; export where source = RTS_BGP; };
}
template bgp host${n} {
  local ${address} as ${HOSTS}; direct; bfd; hold time 9; connect delay time 1; error wait time 1, 10; graceful restart;
  ${family} { import filter peer${n}; export where source = RTS_INHERIT; next hop self; gateway direct; };
}
${sessions.join('')}${upstream ? upstreamOf(family, host) : ''}`;
}

/** IPv4: the uplink is point to point, on which a session that isn't \`multihop\` stays idle. IPv6: by link-local addresses. */
function upstreamOf(family: Family, { address, linkLocal }: Site): string {
  const session =
    family === 'ipv4'
      ? `multihop; local ${address} as ${CUSTOMER}; neighbor ${GATEWAY} as ${PROVIDER}`
      : `interface "eth0"; local ${linkLocal} as ${CUSTOMER}; neighbor ${GATEWAY6} as ${PROVIDER}`;
  return `protocol bgp upstream${family === 'ipv4' ? 4 : 6} {
  ${session}; hold time 9; connect delay time 1; error wait time 1, 10; graceful restart;
  ${family} { import none; export where source = RTS_INHERIT; next hop self; };
}
`;
}

const withLonger = (pool: string): string => (pool.includes('/') ? `${pool}+` : pool + hostLength(pool));
const hostLength = (address: string): string => (isIpv6(address) ? '/128' : '/32');

/** What the provider's BIRD does: it routes to each host what that host says, and nothing but what is the customer's. */
export function gatewayBird(hosts: readonly Wired[], pools: readonly string[]): string {
  const families = FAMILIES.map(family => {
    const n = family === 'ipv4' ? 4 : 6;
    const own = pools.filter(pool => isIpv6(pool) === (family === 'ipv6')).map(withLonger);
    return `protocol kernel kernel${n} { scan time 10; ${family} { import none; export where source = RTS_BGP; }; }
${hosts.map(host => customer(family, host, own)).join('')}`;
  });
  return `router id ${GATEWAY};
protocol device { }
protocol direct { ipv4; ipv6; }
${families.join('')}`;
}

function customer(family: Family, { name, address, linkLocal }: Site, own: readonly string[]): string {
  const session =
    family === 'ipv4'
      ? `multihop; local ${GATEWAY} as ${PROVIDER}; neighbor ${address} as ${CUSTOMER}`
      : `interface "${name}"; local ${GATEWAY6} as ${PROVIDER}; neighbor ${linkLocal} as ${CUSTOMER}`;
  return `protocol bgp ${name}_${family} {
  ${session}; passive; hold time 9;
  ${family} { import where net ~ [ ${own.join(', ')} ]; export none; };
}
`;
}
