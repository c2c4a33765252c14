import type { Host } from '../host/host.ts';
import type { Config } from '../model/config.ts';
import type { Cluster } from './cluster.ts';
import { etcdOf } from './etcdctl.ts';
import { joined } from './joined.ts';
import { ownName } from './self.ts';

/** Undefined where the host is alone: then nothing is asked. */
export const clusterOf = ({ cluster }: Pick<Config, 'cluster'>, host: Host): Cluster | undefined =>
  cluster && { settings: cluster, self: ownName(cluster), etcd: etcdOf(cluster.etcd, host) };

/** The same where this host has joined it: until then its domains start as on any other host. */
export const memberOf = (config: Pick<Config, 'cluster'>, host: Host): Cluster | undefined =>
  config.cluster !== undefined && joined() === config.cluster.name ? clusterOf(config, host) : undefined;
