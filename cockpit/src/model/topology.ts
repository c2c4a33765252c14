/** The things of the picture: the Internet, uplinks, the host, bridges, VMs; in a cluster the wire and the peers. */
import { awayIn, hereIn } from './away.ts';
import { type Box, type Kind, type Layout, layoutFor } from './layout.ts';
import type { DomainShown } from './lines.ts';
import { HEALTHS, type Health, healthOf, rateOfDomain } from './overview.ts';
import type { HostState, Rate, Seen } from './seen.ts';

export interface Node extends Box {
  readonly id: string;
  readonly kind: Kind;
  readonly title: string;
  readonly lines: readonly string[];
  readonly health: Health;
  readonly rate: Rate | undefined;
  /** How many VMs another host has. */
  readonly vms: number | undefined;
  /** The VM that it stands for. */
  readonly uuid: string | undefined;
}

export interface Link {
  readonly id: string;
  /** The `d` of an SVG path. */
  readonly path: string;
  readonly health: Health;
  /** How thick it is drawn: the more goes through it, the thicker. */
  readonly weight: number;
}

export interface Picture {
  readonly nodes: readonly Node[];
  readonly links: readonly Link[];
  readonly width: number;
  readonly height: number;
}

/** More VMs than this are told by their number. */
const MOST = 40;

export function pictureOf(state: HostState, seen: Seen, isNarrow = false): Picture {
  const { uplinks, cluster } = state.host;
  const all = [...hereIn(state).values()].map(domain => known(domain, seen)).toSorted(byUrgency);
  const left = Math.max(0, all.length - MOST);
  const plugs = all.slice(0, MOST).flatMap(plugsOf);
  const counts = {
    uplinks: uplinks.length,
    peers: cluster?.peers.length ?? 0,
    ends: plugs.length + Math.sign(left),
  };
  const layout = layoutFor(counts, isNarrow);
  const put = (thing: Thing, at = 0): Node => ({ ...BLANK, ...thing, ...layout.box(thing.kind, at) });
  const host = hostThing(
    state,
    all.map(one => one.rate),
  );
  const placed: Placed = {
    internet: put({ id: 'internet', kind: 'internet' }),
    ways: uplinks.map(one => wayOf(one, host.health)).map(put),
    peers: peersOf(state).map(put),
    wires: wiresOf(cluster).map(put),
    host: put(host),
    ends: plugs.map(endOf).map(({ bridge, vm }, at) => ({ bridge: put(bridge, at), vm: put(vm, at) })),
    more: left > 0 ? [put({ id: 'more', kind: 'more', title: String(left) }, plugs.length)] : [],
  };
  return {
    nodes: nodesOf(placed),
    links: linksOf(placed, layout.path),
    width: layout.width,
    height: layout.height,
  };
}

/** Everything in its place. */
interface Placed {
  readonly internet: Node;
  readonly ways: readonly Node[];
  readonly peers: readonly Node[];
  readonly wires: readonly Node[];
  readonly host: Node;
  readonly ends: readonly { readonly bridge: Node; readonly vm: Node }[];
  readonly more: readonly Node[];
}

const nodesOf = ({ internet, ways, peers, wires, host, ends, more }: Placed): Node[] => [
  internet,
  ...ways,
  ...peers,
  ...wires,
  host,
  ...ends.flatMap(({ bridge, vm }) => [bridge, vm]),
  ...more,
];

/** @param path the `d` of what leads from one thing to another */
function linksOf({ internet, ways, peers, wires, host, ends }: Placed, path: Layout['path']): Link[] {
  const join = (from: Node, to: Node, health: Health, rate?: Rate): Link => ({
    id: `${from.id} > ${to.id}`,
    path: path(from, to),
    health,
    weight: weightOf(rate),
  });
  return [
    ...ways.flatMap(way => [
      join(internet, way, way.health, host.rate),
      join(way, host, way.health, host.rate),
    ]),
    ...wires.flatMap(wire => [
      ...peers.map(peer => join(peer, wire, peer.health)),
      join(wire, host, wire.health),
    ]),
    ...ends.flatMap(({ bridge, vm }) => [
      join(host, bridge, bridge.health, vm.rate),
      join(bridge, vm, vm.health, vm.rate),
    ]),
  ];
}

type Thing = Pick<Node, 'id' | 'kind'> &
  Partial<Pick<Node, 'title' | 'lines' | 'health' | 'rate' | 'vms' | 'uuid'>>;
const BLANK = {
  title: '',
  lines: [],
  health: 'ok',
  rate: undefined,
  vms: undefined,
  uuid: undefined,
} as const;

const hostThing = ({ host, faults }: HostState, rates: readonly Rate[]) =>
  ({
    id: 'host',
    kind: 'host',
    lines: host.uplinks.flatMap(({ addresses }) => addresses).slice(0, 1),
    health: faults.some(({ uuid }) => uuid === null) ? 'faulty' : 'ok',
    rate: sum(rates),
  }) satisfies Thing;

const wayOf = ({ device, pools }: HostState['host']['uplinks'][number], health: Health): Thing => ({
  id: `uplink ${device}`,
  kind: 'uplink',
  title: device,
  lines: pools,
  health,
});

/** The other hosts of the cluster. One that isn't up may be one whose VMs are dead. */
function peersOf(state: HostState): Thing[] {
  const away = awayIn(state);
  return (state.host.cluster?.peers ?? []).map(({ host, addresses, isUp }) => ({
    id: `peer ${host}`,
    kind: 'peer',
    title: host,
    lines: addresses,
    health: isUp ? 'ok' : 'stopped',
    vms: away.filter(one => one.host === host).length,
  }));
}

/** What leads to them: one, where there are any. */
function wiresOf(cluster: HostState['host']['cluster']): Thing[] {
  if (cluster === null || cluster.peers.length === 0) return [];
  const { wire, name, peers } = cluster;
  const health = peers.some(({ isUp }) => isUp) ? 'ok' : 'stopped';
  return [{ id: `wire ${wire}`, kind: 'wire', title: wire, lines: [name], health }];
}

interface Known {
  readonly domain: DomainShown;
  readonly health: Health;
  readonly rate: Rate;
}

const known = (domain: DomainShown, seen: Seen): Known => ({
  domain,
  health: healthOf(domain),
  rate: rateOfDomain(domain, seen),
});

const byUrgency = (a: Known, b: Known): number =>
  HEALTHS.indexOf(a.health) - HEALTHS.indexOf(b.health) ||
  b.rate.in + b.rate.out - a.rate.in - a.rate.out ||
  a.domain.domain.localeCompare(b.domain.domain);

interface Plug extends Known {
  readonly bridge: string;
  readonly scope: string;
  readonly addresses: readonly string[];
}

/** A domain's bridges, each with the addresses that lie behind it. */
function plugsOf(one: Known): Plug[] {
  const { addresses } = one.domain;
  const bridges = [...new Set(addresses.map(({ bridge }) => bridge))];
  return bridges.map(bridge => {
    const behind = addresses.filter(address => address.bridge === bridge);
    return { ...one, bridge, scope: behind[0]?.scope ?? '', addresses: behind.map(({ address }) => address) };
  });
}

const endOf = ({ bridge, scope, addresses, domain, health, rate }: Plug) => ({
  bridge: {
    id: `bridge ${bridge} ${domain.uuid}`,
    kind: 'bridge',
    title: bridge,
    lines: [scope],
    health,
  } satisfies Thing,
  vm: {
    id: `vm ${domain.uuid} ${bridge}`,
    kind: 'vm',
    title: domain.domain,
    lines: addresses,
    health,
    rate,
    uuid: domain.uuid,
  } satisfies Thing,
});

const sum = (rates: readonly Rate[]): Rate =>
  rates.reduce((total, one) => ({ in: total.in + one.in, out: total.out + one.out }), { in: 0, out: 0 });

/** From 1.5 for nothing to 6 for a gigabyte a second: by its logarithm. */
const weightOf = (rate: Rate | undefined): number =>
  1.5 + Math.min(9, Math.log10(1 + (rate?.in ?? 0) + (rate?.out ?? 0))) / 2;
