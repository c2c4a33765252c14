import { bird } from '../../../src/guest/routing/bird.ts';
import { parseAddress, parsePrefix } from '../../../src/model/address.ts';
import { GATEWAY, GATEWAY6, isIpv6, type Site, type WireEnd } from '../site.ts';

/** The provider's autonomous system, and the one that hosts are to it. */
const PROVIDER = 64999;
const CUSTOMER = 65001;

/** A host on the wire. */
export interface Wired extends Site {
  readonly wire: WireEnd;
}

/** What the others are told of a host. */
export interface Speaker extends Pick<Site, 'name' | 'address'> {
  readonly wire: Pick<WireEnd, 'address' | 'address6'>;
}

export interface HostBird {
  readonly host: Speaker;
  readonly peers: readonly Speaker[];
  readonly pools: readonly string[];
  /** Whether the provider is told as well. */
  readonly upstream: boolean;
  /** Names of hosts that hand on what others tell them. Default: none. */
  readonly reflectors?: readonly string[];
}

/** What `hnet host --format bird` prints on a host, with the provider's numbers filled in as it says. */
export function hostBird({ host, peers, pools, upstream, reflectors = [] }: HostBird): string {
  const [file] = bird({
    cluster: 'lab',
    host: host.name,
    wire: 'eth1',
    addresses: wireOf(host),
    peers: peers.map(peer => ({ host: peer.name, wire: wireOf(peer) })),
    reflectors,
    pools: pools.map(parsePrefix),
    uplinks: [
      {
        device: 'eth0',
        host: parseAddress(host.address),
        gateway: parseAddress(GATEWAY),
        gateway6: parseAddress(GATEWAY6),
      },
    ],
    isUpstream: upstream,
  });
  return filledIn(file?.text ?? '');
}

const wireOf = ({ wire }: Speaker) => [wire.address, wire.address6].map(parseAddress);

/** As its comment says: "fill in the numbers that it gave you, and take the # away". */
function filledIn(text: string): string {
  const [head = '', ...sessions] = text.split(/^(?=# IPv[46] at the provider)/m);
  const ready = sessions.map(session => {
    const [title, ...lines] = session.split('\n');
    return [title, ...lines.map(line => line.replace(/^# ?/, ''))].join('\n');
  });
  return [head, ...ready]
    .join('')
    .replaceAll('YOUR_AS', `${CUSTOMER}`)
    .replaceAll('PROVIDER_AS', `${PROVIDER}`);
}

const FAMILIES = ['ipv4', 'ipv6'] as const;
type Family = (typeof FAMILIES)[number];

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
  ${session}; passive; hold time 9; error wait time 1, 10;
  ${family} { import where net ~ [ ${own.join(', ')} ]; export none; };
}
`;
}
