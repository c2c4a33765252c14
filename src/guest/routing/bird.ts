/**
 * bird.conf(5), for BIRD 2.0.12 and newer. BIRD learns hnet's routes from the kernel, by protocol number, and gives them to
 * the other hosts; theirs come into the kernel with a metric between those of ours (model/move.ts). docs/cluster.md says why
 * each line is there.
 */
import { format, formatLong } from '../../model/address.ts';
import { MOVE_METRIC, PEER_METRIC, SCAN_TIME } from '../../model/move.ts';
import { ROUTE_PROTOCOL } from '../../model/names.ts';
import type { Family } from '../../model/prefix.ts';
import { type ConfigFile, comments, file } from '../file.ts';
import { aboutFile, HOSTS_AS, type Routing, type RoutingSide, routerId, routingSides } from './routing.ts';

/**
 * How a route stands in BIRD by its metric: `preference` against the routes of peers, which have 100 unless their host says
 * otherwise; `pref` and `med` in the eyes of the others. A route that is on its way here or away must lose to a peer's, and
 * still be announced: where nobody promotes it, it is the only one left.
 */
const STANDINGS = [
  { metric: MOVE_METRIC.arrived, preference: 200, pref: 200, med: 50 },
  { metric: MOVE_METRIC.incoming, preference: 50, pref: 50, med: 200 },
  { metric: MOVE_METRIC.leaving, preference: 40, pref: 40, med: 250 },
] as const;
const NORMAL = { preference: 200, pref: 100, med: 100 } as const;

export function bird(routing: Routing): ConfigFile[] {
  const id = routerId(routing);
  const sides = routingSides(routing);
  return [
    file(
      '/etc/bird/bird.conf',
      ...comments([
        ...aboutFile(routing, 'bird'),
        'After a change: birdc configure. A restart would interrupt what runs.',
      ]),
      '',
      'log syslog all;',
      id === undefined
        ? '# router id 192.0.2.1;  # any four bytes that no other host has'
        : `router id ${id};`,
      '',
      'protocol device { }',
      `protocol bfd { interface "${routing.wire}" { interval 100 ms; multiplier 3; }; }`,
      ...sides.flatMap(side => ['', ...sideLines(side, routing)]),
      ...(routing.isUpstream ? sides.flatMap(side => ['', ...upstream(side.family, routing)]) : []),
    ),
  ];
}

const sideLines = (side: RoutingSide, { uplinks }: Routing): string[] => [
  `define POOLS${side.family} = [ ${side.pools.map(pool => `${formatLong(pool)}+`).join(', ')} ];`,
  '',
  ...filterLines(side, uplinks),
  ...protocolLines(side),
];

/** Which routes of the kernel the others are told, and which of theirs come into the kernel. */
function filterLines({ family }: RoutingSide, uplinks: Routing['uplinks']): string[] {
  const gateways = uplinks.map(({ device }) => `ifname = "${device}"`).join(' || ');
  return [
    '# Of the routes in the kernel, those of hnet that lead to VMs.',
    `filter hnet${family} {`,
    `  if krt_source != ${ROUTE_PROTOCOL} || dest != RTD_UNICAST || net !~ POOLS${family} then reject;`,
    ...(gateways === '' ? [] : [`  if ${gateways} then reject;`]),
    ...STANDINGS.map(
      ({ metric, ...rest }, place) =>
        `  ${place === 0 ? '' : 'else '}if krt_metric = ${metric} then { ${standing(rest)} }`,
    ),
    `  else { ${standing(NORMAL)} }`,
    '  accept;',
    '}',
    `filter peer${family} {`,
    `  if net !~ POOLS${family} then reject;`,
    '  if bgp_local_pref = 200 then preference = 210;',
    '  if bgp_local_pref = 40 then preference = 30;',
    '  accept;',
    '}',
  ];
}

/** The kernel, and a session with each peer. */
const protocolLines = ({ family, own, peers, isReflector }: RoutingSide): string[] => [
  `protocol kernel kernel${family} {`,
  `  learn; metric ${PEER_METRIC}; scan time ${SCAN_TIME}; netlink rx buffer 4194304; graceful restart;`,
  `  ipv${family} { import filter hnet${family}; export where source = RTS_BGP; };`,
  '}',
  `template bgp host${family} {`,
  `  local ${format(own)} as ${HOSTS_AS}; direct; bfd; ${TIMES}`,
  `  ipv${family} { import filter peer${family}; ${isReflector ? REFLECTED : OWN} gateway direct; };`,
  '}',
  ...peers.map(
    ({ host, address, isClient }) =>
      `protocol bgp '${symbol(host)}_${family}' from host${family} { neighbor ${format(address)} as ${HOSTS_AS};${isClient ? ' rr client;' : ''} }`,
  ),
];

/** What a host tells the others: its own routes, which lead to it. */
const OWN = 'export where source = RTS_INHERIT; next hop self;';
/** A reflector hands on what it was told as well, and packets don't go by it: BIRD's default names whoever has the address. */
const REFLECTED = 'export where source = RTS_INHERIT || source = RTS_BGP;';

/** After a host hung, its sessions came back a minute late without the last of these. */
const TIMES = 'hold time 9; connect delay time 1; error wait time 1, 10; graceful restart;';

const standing = ({
  preference,
  pref,
  med,
}: typeof NORMAL | Omit<(typeof STANDINGS)[number], 'metric'>): string =>
  `preference = ${preference}; bgp_local_pref = ${pref}; bgp_med = ${med};`;

/** BIRD's symbols have at most 64 characters. */
const symbol = (host: string): string => host.slice(0, 60);

/** hnet knows neither AS number, nor whether the provider wants a password. */
function upstream(family: Family, { uplinks: [uplink] }: Routing): string[] {
  const gateway = family === 4 ? uplink?.gateway : uplink?.gateway6;
  const near = family === 4 ? uplink?.host : undefined;
  const router = gateway === undefined ? 'ROUTER' : format(gateway);
  const session =
    family === 4
      ? `multihop; local ${near === undefined ? 'ADDRESS' : format(near)} as YOUR_AS; neighbor ${router} as PROVIDER_AS;`
      : `interface "${uplink?.device ?? 'DEVICE'}"; local as YOUR_AS; neighbor ${router} as PROVIDER_AS;`;
  return comments([
    `IPv${family} at the provider: fill in the numbers that it gave you, and take the # away.`,
    `protocol bgp upstream${family} {`,
    `  ${session}`,
    '  # password "SECRET";',
    `  ${TIMES}`,
    '  # Where the provider spreads packets over all hosts that announce an address: export where source = RTS_INHERIT && preference = 200',
    `  ipv${family} { import none; export where source = RTS_INHERIT; next hop self; };`,
    '}',
  ]);
}
