/** What keeps this host apart from the others: what can be seen in a second, and what it comes to. */
import type { Host } from '../host/host.ts';
import type { ClusterSettings, Config } from '../model/config.ts';
import { Refusal, reason } from '../model/refusal.ts';
import { type BirdProtocol, birdProtocols, sessionsWith } from './birds.ts';
import { etcdOf } from './etcdctl.ts';
import { hostsOf } from './keys.ts';
import { outsideWords, readOutside } from './outside.ts';
import { type KnownPeer, knownPeers } from './peers.ts';

/** Something of the cluster that isn't as it should be: what, and how that shows. */
export interface Apart {
  readonly what: 'etcd' | 'BIRD' | 'outside';
  readonly why: string;
}

export const apartOf = ({ cluster }: Pick<Config, 'cluster'>, host: Host): Apart[] =>
  cluster === undefined ? [] : [...silentEtcd(cluster, host), ...apartBeside(cluster, host)];

/** The same without a question to etcd. */
export const apartBeside = (cluster: ClusterSettings, host: Host): Apart[] => [
  ...lostSessions(knownPeers(cluster), birdProtocols(host)),
  ...readOutside()
    .filter(({ isFollowed }) => !isFollowed)
    .map(told => ({ what: 'outside' as const, why: outsideWords(told) })),
];

/** A read that etcd answers only with a quorum. */
function silentEtcd(cluster: ClusterSettings, host: Host): Apart[] {
  try {
    etcdOf(cluster.etcd, host).read(hostsOf(cluster));
    return [];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [{ what: 'etcd', why: reason(error) }];
  }
}

/** Sessions that are configured and do not stand. */
export function lostSessions(
  peers: readonly KnownPeer[],
  protocols: readonly BirdProtocol[] | undefined,
): Apart[] {
  if (protocols === undefined)
    return [{ what: 'BIRD', why: 'it does not run here, so no other host knows which addresses are here' }];
  return peers.flatMap(({ host, wire, isUp, seen }) =>
    sessionsWith(wire, protocols)
      .filter(({ isEstablished }) => !isEstablished)
      .map(({ name, state, info, neighbour }) => ({
        what: 'BIRD' as const,
        why: `no session with ${host} (${name} to ${neighbour} is ${[state, info].filter(one => one !== '').join(', ')})${isUp ? '' : `; it is down, or cut off, since ${seen}`}`,
      })),
  );
}
