import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Cluster, ClusterOptions } from '../lab/cluster/cluster.ts';
import type { Hypervisor } from '../lab/hypervisor.ts';
import { Lab } from '../lab/lab.ts';
import { chosenRelease } from '../lab/root.ts';
import { expectSuccess, type Outcome } from '../lab/run.ts';
import { ensureBuilt } from '../support/build.ts';
import { expectPromised } from '../support/promised.ts';
import { keepLayer, layerFor } from '../system/layer.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const COPY = { '/root/hnet': PROJECT };

export interface ClusterStageOptions extends Omit<ClusterOptions, 'archive' | 'copy'> {
  /**
   * What hnet.toml of a host has beside the pools and how they are delivered. Default: the cluster's table, if there is an
   * etcd for it.
   */
  readonly toml?: (host: string, cluster: Cluster) => string;
}

/** The table that makes a host one of a cluster. @param more further lines of it */
export function clusterTable(cluster: Cluster, ...more: readonly string[]): string {
  const values = {
    name: 'lab',
    interface: 'eth1',
    etcd: cluster.etcd.endpoints,
    announce: cluster.announce,
    ...(cluster.announce === 'command' && { command: ['/usr/local/sbin/move-address'] }),
  };
  const lines = Object.entries(values).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  return `[cluster]\n${[...lines, ...more].join('\n')}\n`;
}

/** The same with further lines, as an option of a stage. */
export const tableWith =
  (...more: readonly string[]) =>
  (_: string, cluster: Cluster): string =>
    clusterTable(cluster, ...more);

/** Several hypervisors with hnet installed and configured, for the tests of one `describe`. */
export class ClusterStage {
  #lab: Lab | undefined;
  #cluster: Cluster | undefined;

  constructor(options: ClusterStageOptions = {}) {
    before(async () => {
      this.#lab = await Lab.create();
      this.#cluster = await clusterWithHnet(this.#lab, options);
    });
    after(() => this.#lab?.remove());
  }

  get lab(): Lab {
    return there(this.#lab);
  }

  get cluster(): Cluster {
    return there(this.#cluster);
  }

  /** The host h1 for 1, and so on. */
  host(number: number): Hypervisor {
    return there(this.cluster.hosts[number - 1]);
  }

  /** Runs hnet on a host and gives back what it did. What it answers to `--json` is held against its schema. */
  async hnet(host: Hypervisor, ...argv: readonly string[]): Promise<Outcome> {
    const outcome = await host.attempt(['hnet', ...argv]);
    expectPromised(argv, outcome);
    return outcome;
  }

  /** The same, and it must succeed. */
  readonly ok = async (host: Hypervisor, ...argv: readonly string[]): Promise<string> =>
    expectSuccess([`${host.name}: hnet`, ...argv], await this.hnet(host, ...argv));
}

function there<T>(made: T | undefined): T {
  if (made === undefined) throw new Error('Cannot use the cluster before the tests begin');
  return made;
}

/**
 * A cluster on whose hosts hnet is installed with the cluster's pools, in force, and without the services that repair. It
 * is laid over the hosts before they boot.
 */
export async function clusterWithHnet(
  lab: Lab,
  { toml = ownTable, ...options }: ClusterStageOptions,
): Promise<Cluster> {
  await ensureBuilt();
  const cluster = await lab.cluster({ ...options, copy: COPY, archive: await installation(options) });
  await Promise.all(
    cluster.hosts.map(async host => {
      await host.write('/etc/hnet/hnet.toml', head(cluster) + toml(host.name, cluster));
      await host.run(['hnet', 'base', 'up']);
    }),
  );
  // One after the other: each sees the hosts before it.
  if (cluster.etcd.members.length > 0)
    for (const host of cluster.hosts) await host.run(['hnet', 'cluster', 'join']);
  return cluster;
}

const ownTable = (_: string, cluster: Cluster): string =>
  cluster.etcd.members.length === 0 ? '' : clusterTable(cluster);

function head({ pools, announce }: Cluster): string {
  const delivery = announce === 'on-link' ? 'ipv4 = "on-link"\nipv6 = "on-link"\n' : '';
  return `pools = ${JSON.stringify(pools)}\n${delivery}`;
}

/** What install.sh puts on a host, as files. It is run once, on a hypervisor that is made for it. */
async function installation({ release }: ClusterStageOptions): Promise<string> {
  const layer = await layerFor([
    `a host of a cluster, Debian ${release ?? chosenRelease() ?? 'of this machine'}`,
  ]);
  if (existsSync(layer)) return layer;
  const lab = await Lab.create();
  try {
    const host = await lab.hypervisor('h1', { copy: COPY, ...(release !== undefined && { release }) });
    await keepLayer(host, layer, async () => {
      // Without the means to make the bundles anew install.sh takes them as they are.
      await host.run(['rm', '-rf', '/root/hnet/node_modules/esbuild']);
      await host.run(['/root/hnet/install.sh', '--yes', '--pool', '123.45.90.112/29']);
      await host.run(['systemctl', 'disable', '--now', 'hnet-watch', 'hnet-sync']);
    });
  } finally {
    lab.remove();
  }
  return layer;
}
