/** Shows the hosts of the cluster, and what etcd holds. */
import type { Cluster } from '../../cluster/cluster.ts';
import { type Contents, look } from '../../cluster/contents.ts';
import { joined } from '../../cluster/joined.ts';
import { nobodys, runsOn } from '../../cluster/leave.ts';
import { type KnownPeer, knownPeers } from '../../cluster/peers.ts';
import { differencesAmong } from '../../cluster/record.ts';
import type { Context } from '../../host/context.ts';
import { format } from '../../model/address.ts';
import { quote, visible } from '../../model/refusal.ts';
import { shownTime } from '../../model/time.ts';
import { type Cell, table } from '../table.ts';
import { requireCluster } from './require-cluster.ts';

interface ShownHost {
  readonly host: string;
  readonly state: 'up' | 'down' | 'unknown';
  /** When it was last known to be up; null: it is, or never was. */
  readonly seen: string | null;
  readonly wire: readonly string[];
  readonly version: string | null;
  /** How many domains run there by etcd's word. */
  readonly running: number;
  /** How many are defined there. */
  readonly domains: number;
}

/** What the command answers as an object. */
interface ShownCluster {
  readonly cluster: string;
  readonly host: string;
  readonly joined: boolean;
  readonly hosts: readonly ShownHost[];
  /** How many there are in etcd, as of reservations. */
  readonly claims: number;
  readonly reservations: number;
  /** Domains with addresses that no host has. */
  readonly nobodys: readonly {
    readonly domain: string;
    readonly uuid: string;
    readonly addresses: readonly string[];
  }[];
  readonly differences: readonly string[];
  readonly unreadable: readonly string[];
}

/** @throws Refusal if etcd doesn't answer */
export function clusterStatus(context: Context): void {
  const cluster = requireCluster(context, 'show a cluster');
  const shown = shownCluster(cluster, look(cluster));
  context.answer(shown);
  print(shown, context);
  warn(shown, context);
}

const shownCluster = ({ settings, self }: Cluster, seen: Contents): ShownCluster => ({
  cluster: settings.name,
  host: self,
  joined: joined() === settings.name,
  hosts: hostsShown(seen, self, knownPeers(settings)),
  claims: seen.claims.length,
  reservations: seen.reservations.length,
  nobodys: [...nobodys(seen).values()].map(claims => ({
    domain: claims[0]?.name ?? '',
    uuid: claims[0]?.domain ?? '',
    addresses: claims.map(({ prefix }) => format(prefix)),
  })),
  differences: differencesAmong([...seen.hosts.values()]),
  unreadable: [...seen.unreadable].map(([key, why]) => `${quote(key)}: ${why}`),
});

function print({ hosts, host, claims, reservations, nobodys: free }: ShownCluster, context: Context): void {
  for (const line of tableOf(hosts, host, context.colour)) context.print(line);
  context.print('');
  context.print(`${counted(claims, 'address', 'es')} claimed, ${counted(reservations, 'reservation', 's')}`);
  for (const { domain, uuid, addresses } of free)
    context.print(
      `${addresses.join(', ')} of ${quote(domain)}: no host has this domain; hnet cluster free ${uuid}`,
    );
}

function warn({ cluster, joined: isIn, differences, unreadable }: ShownCluster, context: Context): void {
  if (!isIn) context.warn(`this host hasn't joined ${quote(cluster)}; hnet cluster join does it`);
  for (const line of differences) context.warn(line);
  for (const line of unreadable) context.warn(`Cannot read ${line}`);
}

const counted = (count: number, one: string, more: string): string =>
  `${count} ${one}${count === 1 ? '' : more}`;

function hostsShown(seen: Contents, self: string, known: readonly KnownPeer[]): ShownHost[] {
  const noted = [...seen.runs.values(), ...seen.places.values()].map(({ host }) => host);
  const names = new Set([self, ...seen.hosts.keys(), ...known.map(({ host }) => host), ...noted]);
  return [...names].sort().map(host => {
    const up = seen.hosts.get(host);
    const before = known.find(one => one.host === host);
    const record = up ?? before;
    return {
      host,
      state: up !== undefined ? 'up' : record === undefined ? 'unknown' : 'down',
      seen: up === undefined ? (before?.seen ?? null) : null,
      wire: record?.wire.map(format) ?? [],
      version: record?.version ?? null,
      running: runsOn(seen, host).length,
      domains: [...seen.places.values()].filter(one => one.host === host).length,
    };
  });
}

function tableOf(hosts: readonly ShownHost[], self: string, colour: boolean): string[] {
  const cells = hosts.map(({ host, state, seen, wire, version, running, domains }): Cell[] => [
    host === self ? `${visible(host)} (this one)` : visible(host),
    state === 'up'
      ? { text: state, colour: 'green' }
      : { text: seen === null ? state : `${state} since ${shownTime(seen)}`, colour: 'red' },
    wire.join(', ') || '-',
    version ?? '-',
    `${running}`,
    `${domains}`,
  ]);
  return table(['HOST', 'STATE', 'WIRE', 'HNET', 'RUNNING', 'DEFINED'], cells, colour);
}
