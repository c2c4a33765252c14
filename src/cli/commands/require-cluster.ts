import type { Cluster } from '../../cluster/cluster.ts';
import { clusterOf } from '../../cluster/open.ts';
import type { Context } from '../../host/context.ts';
import { CONFIG_FILE } from '../../model/names.ts';
import { Refusal } from '../../model/refusal.ts';

/** @throws Refusal where hnet.toml knows of no cluster */
export function requireCluster({ config, host }: Context, purpose: string): Cluster {
  const cluster = clusterOf(config(), host);
  if (cluster === undefined)
    throw new Refusal(
      `Cannot ${purpose}: ${CONFIG_FILE} has no table [cluster]; docs/cluster.md begins with it`,
    );
  return cluster;
}
