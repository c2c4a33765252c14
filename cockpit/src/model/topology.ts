/** Where each thing of the picture stands: the Internet, uplinks, the host, bridges, VMs; in a cluster the wire and the peers. */
import type { DomainShown } from './lines.ts';
import { type Health, healthOf, rateOfDomain } from './overview.ts';
import type { HostState, Rate, Seen } from './seen.ts';

export const KINDS = ['internet', 'uplink', 'host', 'bridge', 'vm'] as const;
/** `more`: the VMs that there is no room for. `peer` and `wire`: the other hosts of a cluster, and what leads to them. */
export type Kind = (typeof KINDS)[number] | 'more' | 'peer' | 'wire';

export interface Node {
  readonly id: string;
  readonly kind: Kind;
  /** Its left edge and its middle, in the picture's units. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly title: string;
  readonly lines: readonly string[];
  readonly health: Health;
  readonly rate: Rate | undefined;
  /** The VM that it stands for. */
  readonly uuid: string | undefined;
}

export interface Link {
  readonly id: string;
  readonly from: { readonly x: number; readonly y: number };
  readonly to: { readonly x: number; readonly y: number };
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

export const NODE_HEIGHT = 76;
const WIDTHS: Readonly<Record<Kind, number>> = {
  internet: 112,
  uplink: 188,
  host: 208,
  bridge: 148,
  vm: 208,
  more: 208,
  peer: 112,
  wire: 188,
};
const GAP = 56;
const ROW = NODE_HEIGHT + 14;
/** More VMs than this are told by their number. */
const MOST = 40;

/** What stands in another's column. */
const BESIDE = { more: 'vm', peer: 'internet', wire: 'uplink' } as const;

/** The left edge of a kind's column. */
function columnOf(kind: Kind): number {
  const column = kind === 'more' || kind === 'peer' || kind === 'wire' ? BESIDE[kind] : kind;
  return KINDS.slice(0, KINDS.indexOf(column)).reduce((x, one) => x + WIDTHS[one] + GAP, 0);
}

const ORDER: readonly Health[] = ['faulty', 'moving', 'ok', 'stopped', 'none'];

/** What is wrong is shown first, then what is busy. */
export function pictureOf(state: HostState, seen: Seen): Picture {
  const { uplinks, cluster } = state.host;
  const peers = cluster?.peers ?? [];
  const all = [...state.domains.values()].map(domain => known(domain, seen)).toSorted(byUrgency);
  const left = Math.max(0, all.length - MOST);
  const plugs = all.slice(0, MOST).flatMap(plugsOf);
  // The peers stand below the Internet, and their wire below the uplinks.
  const rows = Math.max(plugs.length + Math.sign(left), uplinks.length + peers.length, 1);
  const middle = (rows - 1 - peers.length) / 2;
  const health = state.faults.some(({ uuid }) => uuid === null) ? 'faulty' : 'ok';
  const total = sum(all.map(({ rate }) => rate));

  const internet = node({ id: 'internet', kind: 'internet', row: middle });
  const host = node({
    id: 'host',
    kind: 'host',
    row: (rows - 1) / 2,
    lines: uplinks.flatMap(({ addresses }) => addresses).slice(0, 1),
    health,
    rate: total,
  });
  const ways = uplinks.map(({ device, pools }, at) =>
    node({
      id: `uplink ${device}`,
      kind: 'uplink',
      row: middle + at - (uplinks.length - 1) / 2,
      title: device,
      lines: pools,
      health,
    }),
  );
  const ends = plugs.map((plug, row) => endOf(plug, row));
  const more = left > 0 ? [node({ id: 'more', kind: 'more', row: plugs.length, title: String(left) })] : [];
  const below = peersOf(cluster, Math.max(middle + (uplinks.length + 1) / 2, rows - peers.length));
  return {
    nodes: [
      internet,
      ...ways,
      ...below.peers,
      ...below.wires,
      host,
      ...ends.flatMap(({ bridge, vm }) => [bridge, vm]),
      ...more,
    ],
    links: [
      ...ways.flatMap(way => [link(internet, way, way.health, total), link(way, host, way.health, total)]),
      ...below.wires.flatMap(wire => [
        ...below.peers.map(peer => link(peer, wire, peer.health, undefined)),
        link(wire, host, wire.health, undefined),
      ]),
      ...ends.flatMap(({ bridge, vm }) => [
        link(host, bridge, bridge.health, vm.rate),
        link(bridge, vm, vm.health, vm.rate),
      ]),
    ],
    width: columnOf('vm') + WIDTHS.vm,
    height: (rows - 1) * ROW + NODE_HEIGHT,
  };
}

/** The other hosts of the cluster and the wire to them, from a row on. A host that isn't up is one whose VMs may be dead. */
function peersOf(cluster: HostState['host']['cluster'], first: number) {
  if (cluster === null || cluster.peers.length === 0) return { peers: [], wires: [] };
  const peers = cluster.peers.map(({ host, addresses, isUp }, at) =>
    node({
      id: `peer ${host}`,
      kind: 'peer',
      row: first + at,
      title: host,
      lines: addresses,
      health: isUp ? 'ok' : 'stopped',
    }),
  );
  const wire = node({
    id: `wire ${cluster.wire}`,
    kind: 'wire',
    row: first + (peers.length - 1) / 2,
    title: cluster.wire,
    lines: [cluster.name],
    health: peers.some(({ health }) => health === 'ok') ? 'ok' : 'stopped',
  });
  return { peers, wires: [wire] };
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
  ORDER.indexOf(a.health) - ORDER.indexOf(b.health) ||
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

const endOf = ({ bridge, scope, addresses, domain, health, rate }: Plug, row: number) => ({
  bridge: node({
    id: `bridge ${bridge} ${domain.uuid}`,
    kind: 'bridge',
    row,
    title: bridge,
    lines: [scope],
    health,
  }),
  vm: node({
    id: `vm ${domain.uuid} ${bridge}`,
    kind: 'vm',
    row,
    title: domain.domain,
    lines: addresses,
    health,
    rate,
    uuid: domain.uuid,
  }),
});

const sum = (rates: readonly Rate[]): Rate =>
  rates.reduce((total, one) => ({ in: total.in + one.in, out: total.out + one.out }), { in: 0, out: 0 });

type Drawn = Pick<Node, 'id' | 'kind'> & { readonly row: number } & Partial<
    Pick<Node, 'title' | 'lines' | 'health' | 'rate' | 'uuid'>
  >;

const node = ({ id, kind, row, title = '', lines = [], health = 'ok', rate, uuid }: Drawn): Node => ({
  id,
  kind,
  x: columnOf(kind),
  y: row * ROW + NODE_HEIGHT / 2,
  width: WIDTHS[kind],
  title,
  lines,
  health,
  rate,
  uuid,
});

const link = (from: Node, to: Node, health: Health, rate: Rate | undefined): Link => ({
  id: `${from.id} > ${to.id}`,
  from: { x: from.x + from.width, y: from.y },
  to: { x: to.x, y: to.y },
  health,
  weight: weightOf(rate),
});

/** From 1.5 for nothing to 6 for a gigabyte a second: by its logarithm. */
const weightOf = (rate: Rate | undefined): number =>
  1.5 + Math.min(9, Math.log10(1 + (rate?.in ?? 0) + (rate?.out ?? 0))) / 2;
