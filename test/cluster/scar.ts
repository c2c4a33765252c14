/** What a move has left on two hosts and in etcd, told as what isn't as it should be. */
import type { Cluster } from '../lab/cluster/cluster.ts';
import type { Hypervisor } from '../lab/hypervisor.ts';
import { TRAVELS } from './travel.ts';

/** A host, as far as one domain is concerned. */
export interface Trace {
  readonly host: string;
  /** libvirt's word and its reason: `running (migrated)`; undefined where it doesn't know the domain, or doesn't answer. */
  readonly standing: string | undefined;
  /** Metrics of its host routes, IPv4's first. */
  readonly metrics: readonly number[];
  /** Whatever else hnet has for it here: attachment, marker, claims, bridge, answers on the wire. */
  readonly things: readonly string[];
}

const LOOK = `
uuid=$1 v4=$2 v6=$3
timeout 5 virsh -q domstate --reason "$uuid" 2>/dev/null | sed 's/^/STATE /'
ip route show "$v4" proto 104 | sed 's/^/ROUTE /'
ip -6 route show "$v6" proto 104 | sed 's/^/ROUTE6 /'
find /run/hnet/attachments -name "$uuid*" | sed 's/^/THING /'
find /run/hnet/cluster/incoming -name "$uuid*" 2>/dev/null | sed 's/^/THING /'
find /run/hnet/claims -lname "*$uuid*" | sed 's/^/THING /'
ip -o link show type bridge | grep -F "$uuid" | sed 's/^[0-9]*: /THING bridge /; s/: .*//'
ip neigh show proxy | grep -wF -e "$v4" -e "$v6" | sed 's/^/THING proxy /'
true
`;

export async function traceOf(host: Hypervisor, uuid: string): Promise<Trace> {
  const said = await host.run(['sh', '-s', uuid, TRAVELS[4], TRAVELS[6]], { input: LOOK });
  const lines = said.split('\n');
  const after = (word: string): string[] =>
    lines.filter(line => line.startsWith(`${word} `)).map(line => line.slice(word.length + 1).trim());
  const metrics = (word: string): number[] =>
    after(word).map(line => Number(/metric (\d+)/.exec(line)?.[1] ?? 0));
  return {
    host: host.name,
    standing: after('STATE')[0],
    metrics: [...metrics('ROUTE'), ...metrics('ROUTE6')],
    things: after('THING'),
  };
}

export const tracesOf = ({ hosts }: Pick<Cluster, 'hosts'>, uuid: string): Promise<Trace[]> =>
  Promise.all(hosts.map(host => traceOf(host, uuid)));

/** On which host the domain runs; undefined where on none, or on several. */
export function homeOf(traces: readonly Trace[]): string | undefined {
  const [home, ...others] = traces.filter(({ standing }) => standing?.startsWith('running'));
  return others.length === 0 ? home?.host : undefined;
}

/** What isn't as it should be of a domain that no move is under way for. */
export async function scarsOf(cluster: Cluster, uuid: string): Promise<string[]> {
  const traces = await tracesOf(cluster, uuid);
  const home = homeOf(traces);
  const told = traces.map(({ host, standing }) => `${host}: ${standing ?? 'not there'}`).join(', ');
  if (home === undefined) return [`it doesn't run on exactly one host (${told})`];
  return [
    ...traces.flatMap(one => (one.host === home ? faultsAtHome(one) : leftovers(one))),
    ...(await runFaults(cluster, uuid, home)),
  ];
}

const GOOD: readonly string[] = ['50 50', '0 100'];

const faultsAtHome = ({ host, metrics }: Trace): string[] =>
  GOOD.includes(metrics.join(' ')) ? [] : [`${host}: its routes have the metrics ${metrics.join(' ')}`];

const leftovers = ({ host, standing, metrics, things }: Trace): string[] => [
  ...(standing === undefined ? [] : [`${host}: libvirt still has it, ${standing}`]),
  ...metrics.map(metric => `${host}: a route of metric ${metric}`),
  ...things.map(thing => `${host}: ${thing}`),
];

async function runFaults(cluster: Cluster, uuid: string, home: string): Promise<string[]> {
  const { stdout } = await cluster.etcd.attempt('get', '--print-value-only', `/hnet/lab/runs/${uuid}`);
  const run = stdout.trim();
  if (run === '') return ['etcd: it has no run'];
  const { host, to } = JSON.parse(run) as { host: string; to?: string };
  return [
    ...(host === home ? [] : [`etcd: it runs on ${host}`]),
    ...(to === undefined ? [] : [`etcd: it is on its way to ${to}`]),
  ];
}
