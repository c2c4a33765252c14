/** What hosts must have alike, and what each must have for itself. */
import type { KnownPeer } from '../../cluster/peers.ts';
import type { Peer } from '../../cluster/values.ts';
import { type Diagnosis, diagnosis, EDIT } from '../diagnosis.ts';
import { clusterOf, type Facts } from '../facts.ts';

export function checkAlike(facts: Facts): Diagnosis[] {
  if (clusterOf(facts) === undefined) return [];
  const { self, peers } = facts.cluster;
  return self.is === 'known'
    ? compare(self.value, peers)
    : diagnosis(self.why, 'the other hosts do not know this one', 'hnet cluster join');
}

const compare = (self: Peer, peers: readonly KnownPeer[]): Diagnosis[] =>
  peers.flatMap(peer => [
    ...(['pools', 'scopes'] as const).flatMap(key =>
      self[key] === peer[key]
        ? []
        : diagnosis(
            `${peer.host} has other ${key}: ${peer[key] || 'none'}; here: ${self[key] || 'none'}`,
            "a VM can't move unless both have its address; the host that lacks it drops it as spoofed",
            `${EDIT}  # the same "${key}" on both; then: hnet sync`,
          ),
    ),
    ...(self.uuid !== undefined && self.uuid === peer.uuid
      ? diagnosis(
          `libvirt takes ${peer.host} for this host: both have the UUID ${self.uuid}`,
          'it refuses to move VMs between them',
          `echo "host_uuid = \\"$(uuidgen)\\"" >>/etc/libvirt/libvirtd.conf; systemctl restart libvirtd`,
        )
      : []),
    ...(isOlder(peer.version, self.version)
      ? diagnosis(
          `${peer.host} has hnet ${peer.version}, this host ${self.version}`,
          'what the newer one writes the older one may not read',
          `ssh ${peer.host} apt install ./hnet_*.deb  # the same version`,
        )
      : []),
  ]);

/** Whether one version is before another; of what isn't a version nothing is said. */
export function isOlder(one: string, other: string): boolean {
  const [a, b] = [one, other].map(text => /^(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number));
  if (a === undefined || b === undefined) return false;
  const place = a.findIndex((part, index) => part !== b[index]);
  return place >= 0 && (a[place] ?? 0) < (b[place] ?? 0);
}
