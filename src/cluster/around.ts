import type { Config } from '../model/config.ts';
import type { Prefix } from '../model/prefix.ts';
import { surroundings, type Uplinks } from '../model/uplink.ts';
import { knownPeers } from './peers.ts';

/** What domains' plans take from what is around this host: its uplinks, and its peers. */
export const around = (config: Config, uplinks: Uplinks) => ({
  ...surroundings(config, uplinks),
  peers: peerGateways(config),
});

/**
 * The other hosts' own IPv4 addresses: the gateway of guests that came from there and configure themselves. IPv6 guests have
 * the same link-local one everywhere. Undefined where the host is alone.
 */
export const peerGateways = ({ cluster }: Config): readonly Prefix[] | undefined =>
  cluster &&
  knownPeers(cluster)
    .flatMap(({ uplinks }) => uplinks)
    .filter(({ family }) => family === 4);
