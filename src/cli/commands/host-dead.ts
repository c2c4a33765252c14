import type { Cluster } from '../../cluster/cluster.ts';
import { type Contents, look } from '../../cluster/contents.ts';
import { freeRuns, runsOn } from '../../cluster/leave.ts';
import { knownPeers } from '../../cluster/peers.ts';
import type { Context } from '../../host/context.ts';
import { nearWords } from '../../model/near.ts';
import { quote, Refusal } from '../../model/refusal.ts';
import { confirm } from '../ask.ts';
import { requireCluster } from './require-cluster.ts';

/**
 * Frees what runs on a host that is dead, so that others may start it. hnet turns no host off: if that one still runs, each of
 * its domains may run twice, on the same disks.
 */
export function hostDead(host: string, { fenced = false }: { fenced?: boolean }, fresh: () => Context): void {
  const purpose = `free what runs on ${quote(host)}`;
  const first = fresh();
  const cluster = requireCluster(first, purpose);
  const seen = look(cluster);
  refuseUnknown(host, purpose, cluster, seen);
  if (!fenced) refuseUnlessSure(host, purpose, seen);
  // An answer may take long, and the deadline of a context begins with it.
  const context = fresh();
  const now = requireCluster(context, purpose);
  const after = fenced ? seen : look(now);
  const freed = freeRuns(now, after, host);
  const names = freed.map(({ name }) => quote(name)).join(', ');
  context.print(
    freed.length === 0
      ? `${host}: nothing ran there`
      : `${host}: ${names} may be started on another host now`,
  );
  context.answer({ host, freed: freed.map(({ name, uuid }) => ({ domain: name, uuid })) });
}

function refuseUnknown(host: string, purpose: string, { self, settings }: Cluster, seen: Contents): void {
  if (host === self) throw new Refusal(`Cannot ${purpose}: this is ${host}, and it lives`);
  const known = new Set([
    ...seen.hosts.keys(),
    ...knownPeers(settings).map(one => one.host),
    ...[...seen.runs.values(), ...seen.places.values()].map(one => one.host),
  ]);
  known.delete(self);
  if (known.has(host)) return;
  const near = nearWords([...known], host).map(quote);
  const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'hnet cluster status shows its hosts';
  throw new Refusal(`Cannot ${purpose}: no host of the cluster is called so; ${hint}`);
}

function refuseUnlessSure(host: string, purpose: string, seen: Contents): void {
  if (seen.hosts.has(host))
    throw new Refusal(
      `Cannot ${purpose}: it is up by etcd's word; turn it off, and wait 15 s, or say --fenced if it is off for certain`,
    );
  const names = runsOn(seen, host)
    .map(({ name }) => quote(name))
    .join(', ');
  const risk =
    names === ''
      ? "Nothing runs there by etcd's word."
      : `If it still runs, ${names} may run twice, on the same disks, and both answer for their addresses.`;
  confirm(
    purpose,
    `${risk} Is ${host} turned off?`,
    'nobody can be asked here; say --fenced if it is off for certain',
  );
}
