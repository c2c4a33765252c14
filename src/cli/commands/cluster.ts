/** This host joins those that share its pools, or leaves them. */
import { changing } from '../../assign/change.ts';
import { type Joined, join } from '../../assign/join.ts';
import { again } from '../../assign/shared.ts';
import { forgetBooks } from '../../cluster/books.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { type Claim, type Contents, holdsClaim, look, refuseUnreadable } from '../../cluster/contents.ts';
import { joined, noteJoined, noteLeft } from '../../cluster/joined.ts';
import { withdraw } from '../../cluster/leave.ts';
import { newStart } from '../../cluster/new-start.ts';
import { forgetPeers, notePeers } from '../../cluster/peers.ts';
import { grantLease, putRecord } from '../../cluster/presence.ts';
import { differencesAmong, ownRecord } from '../../cluster/record.ts';
import { settlePlaces, settleRuns } from '../../cluster/upkeep.ts';
import type { Peer } from '../../cluster/values.ts';
import type { Context } from '../../host/context.ts';
import { hostUuid } from '../../libvirt/host-uuid.ts';
import type { KnownDomain } from '../../libvirt/libvirt.ts';
import { format } from '../../model/address.ts';
import { addressesOf } from '../../model/domain.ts';
import { equal } from '../../model/prefix.ts';
import { quote, Refusal } from '../../model/refusal.ts';
import { ownVersion } from '../../model/version.ts';
import { readReservations, writeReservations } from '../../state/reservations.ts';
import { requireCluster } from './require-cluster.ts';

/** Takes this host and its domains into the cluster of hnet.toml. Repeated, it puts right what has changed since. */
export function joinCluster(context: Context): void {
  const cluster = requireCluster(context, 'join a cluster');
  const { settings, self } = cluster;
  const record = ownRecord(
    context.config(),
    settings,
    { version: ownVersion(), uuid: hostUuid(context.host) },
    context.host,
  );
  changing(context, libvirt =>
    again(() => {
      const seen = look(cluster);
      refuseUnreadable(seen, holdsClaim);
      refuseNamesake(record, seen);
      const domains = libvirt.domains();
      // Of a cluster's own reservations this host has a copy.
      const own = joined() === settings.name ? [] : readReservations();
      const done = join(cluster, seen, domains, own, record);
      putRecord(cluster, record, grantLease(settings.etcd, context.host));
      const after = look(cluster);
      noteJoined(settings.name);
      writeReservations(after.reservations);
      notePeers(after.hosts.values(), new Date());
      keepBooks(cluster, after, domains);
      tell(cluster, done, context);
      for (const line of differencesAmong([...after.hosts.values()])) context.warn(line);
      context.answer(answerOf(settings.name, self, done));
    }),
  );
}

/** What runs and what is defined here, noted. */
function keepBooks(cluster: Cluster, seen: Contents, domains: readonly KnownDomain[]): void {
  const running = domains.filter(({ active }) => active).map(({ domain }) => domain);
  const attached = running.filter(one => addressesOf(one).length > 0);
  const isHere = (uuid: string): boolean => attached.some(one => one.uuid === uuid);
  const { noted } = settleRuns(
    cluster,
    seen,
    { running: attached, left: [], isHere, isMoved: () => true },
    newStart(),
  );
  const defined = domains.filter(
    one => addressesOf(one.next).length > 0 || addressesOf(one.domain).length > 0,
  );
  settlePlaces(
    cluster,
    noted.length > 0 ? look(cluster) : seen,
    defined.map(({ domain }) => domain),
    isHere,
  );
}

/** Refuses the name of another host that is up. */
function refuseNamesake({ host, wire }: Peer, { hosts }: Contents): void {
  const other = hosts.get(host);
  if (other === undefined || other.wire.some(one => wire.some(own => equal(one, own)))) return;
  throw new Refusal(
    `Cannot join: the host at ${other.wire.map(format).join(', ')} already has the name ${quote(host)}; set another "host" in hnet.toml`,
  );
}

const answerOf = (cluster: string, host: string, { claimed, givenBack, reserved }: Joined) => ({
  cluster,
  host,
  claimed: claimed.map(claimShown),
  givenBack: givenBack.map(claimShown),
  reserved: reserved.map(({ address }) => format(address)),
});

const claimShown = ({ prefix, domain, name }: Claim) => ({
  address: format(prefix),
  domain: name,
  uuid: domain,
});

function tell(
  { settings, self }: Cluster,
  { claimed, givenBack, reserved }: Joined,
  { print }: Context,
): void {
  for (const { prefix, name } of claimed) print(`claimed: ${format(prefix)} of ${quote(name)}`);
  for (const { prefix, name } of givenBack)
    print(`given back: ${format(prefix)}, which ${quote(name)} doesn't have any more`);
  for (const { address } of reserved) print(`reserved in the cluster: ${format(address)}`);
  print(`${self} is in the cluster ${quote(settings.name)}`);
}

/** Takes this host out of the cluster. What its domains have stays claimed: nobody else gets it while they may have it. */
export function leaveCluster(context: Context): void {
  const cluster = requireCluster(context, 'leave a cluster');
  const { settings, self } = cluster;
  changing(context, libvirt => {
    const seen = look(cluster);
    const domains = libvirt.domains();
    const isRunning = (uuid: string): boolean =>
      domains.some(({ domain, active }) => active && domain.uuid === uuid);
    writeReservations(seen.reservations);
    noteLeft();
    withdraw(cluster, seen, isRunning);
    forgetPeers();
    forgetBooks();
    const kept = seen.claims.filter(({ domain }) => domains.some(one => one.domain.uuid === domain));
    context.print(`${self} has left the cluster ${quote(settings.name)}`);
    if (kept.length > 0)
      context.print(
        `${kept.map(({ prefix, name }) => `${format(prefix)} of ${quote(name)}`).join(', ')} stays claimed: no other host gives it away; hnet cluster free there does`,
      );
    context.answer({ cluster: settings.name, host: self, kept: kept.map(claimShown) });
  });
}
