/**
 * frr.conf, for FRR 8 and newer. Second choice: FRR tells neither hnet's routes from others' nor one metric from another when
 * it chooses, so a host to which a VM is on its way loses its own packets to it for as long as the copy takes; and what it
 * misses of the kernel it never asks for again. docs/cluster.md says so too.
 */
import { format, formatLong } from '../../model/address.ts';
import { MOVE_METRIC } from '../../model/move.ts';
import { bits } from '../../model/prefix.ts';
import { type ConfigFile, comments, file } from '../file.ts';
import { aboutFile, HOSTS_AS, type Routing, type RoutingSide, routerId, routingSides } from './routing.ts';

const WORDS = {
  4: { ip: 'ip', unicast: 'ipv4 unicast' },
  6: { ip: 'ipv6', unicast: 'ipv6 unicast' },
} as const;

export function frr(routing: Routing): ConfigFile[] {
  const sides = routingSides(routing);
  const id = routerId(routing);
  return [
    file(
      '/etc/frr/frr.conf',
      ...comments([
        ...aboutFile(routing, 'frr'),
        'With FRR a move interrupts more than with BIRD: see docs/cluster.md. bgpd and bfdd must be on in /etc/frr/daemons.',
      ]),
      'frr defaults traditional',
      'log syslog informational',
      ...sides.flatMap(lists),
      `router bgp ${HOSTS_AS}`,
      ...(id === undefined ? [] : [` bgp router-id ${id}`]),
      ' no bgp default ipv4-unicast',
      ...sides.flatMap(neighbours),
      ...sides.flatMap(family),
    ),
  ];
}

/** What of the kernel's routes is announced: neither what is on its way here, nor what leaves. */
const lists = ({ family: of, pools }: RoutingSide): string[] => [
  ...pools.map(
    (pool, place) =>
      `${WORDS[of].ip} prefix-list POOLS${of} seq ${5 * (place + 1)} permit ${formatLong(pool)}${pool.length < bits(of) ? ` le ${bits(of)}` : ''}`,
  ),
  ...[MOVE_METRIC.incoming, MOVE_METRIC.leaving].flatMap((metric, place) => [
    `route-map HNET${of} deny ${place + 1}`,
    ` match metric ${metric}`,
    'exit',
  ]),
  ...['HNET', 'PEER'].flatMap(name => [
    `route-map ${name}${of} permit 10`,
    ` match ${WORDS[of].ip} address prefix-list POOLS${of}`,
    'exit',
  ]),
];

const neighbours = ({ peers }: RoutingSide): string[] =>
  peers.flatMap(({ host, address }) =>
    [`remote-as ${HOSTS_AS}`, `description ${host}`, 'bfd', 'timers 3 9', 'timers connect 1'].map(
      words => ` neighbor ${format(address)} ${words}`,
    ),
  );

const family = ({ family: of, peers, isReflector }: RoutingSide): string[] => [
  ` address-family ${WORDS[of].unicast}`,
  `  redistribute kernel route-map HNET${of}`,
  ...peers.flatMap(({ address, isClient }) =>
    [
      'activate',
      ...(isClient ? ['route-reflector-client'] : []),
      isReflector ? 'next-hop-self' : 'next-hop-self force',
      `route-map PEER${of} in`,
    ].map(words => `  neighbor ${format(address)} ${words}`),
  ),
  ' exit-address-family',
];
