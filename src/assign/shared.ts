/** What the hosts of a cluster have in common while one of them changes an assignment. */
import { dropClaims, lackingClaims, surplusClaims, takeClaims } from '../cluster/claims.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { type Contents, holdsClaim, look, refuseUnreadable } from '../cluster/contents.ts';
import { refuseUnjoined } from '../cluster/joined.ts';
import { clusterOf } from '../cluster/open.ts';
import { OutrunRefusal } from '../cluster/sequence.ts';
import type { Context } from '../host/context.ts';
import type { KnownDomain } from '../libvirt/libvirt.ts';
import type { Address } from '../model/bridge.ts';
import type { Domain } from '../model/domain.ts';
import { quote, Refusal, reason } from '../model/refusal.ts';
import type { Reservation } from '../model/reservation.ts';
import { readReservations } from '../state/reservations.ts';
import { attempt } from './attempt.ts';
import { holdingsOf } from './inventory.ts';

/** The cluster, and what etcd held when it was asked. */
export interface Shared {
  readonly cluster: Cluster;
  readonly seen: Contents;
}

/** So often another host may have been faster. */
const TRIES = 30;

/**
 * Runs `work` with what the cluster holds; undefined where this host is alone.
 * @throws Refusal if etcd doesn't answer: nothing is changed then
 */
export function sharing<T>(
  { host, config }: Pick<Context, 'host' | 'config'>,
  work: (shared?: Shared) => T,
): T {
  const cluster = clusterOf(config(), host);
  if (cluster === undefined) return work();
  refuseUnjoined(cluster.settings);
  return again(() => {
    const seen = look(cluster);
    refuseUnreadable(seen, holdsClaim);
    return work({ cluster, seen });
  });
}

/** Where another host changed a claim before this one could, `work` has written nothing yet, and looks and chooses again. */
export function again<T>(work: () => T): T {
  for (let tries = 1; ; tries++) {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof OutrunRefusal) || tries === TRIES) throw error;
    }
  }
}

/** What the operator keeps, here or in all of the cluster. */
export const reservationsIn = (shared: Shared | undefined): readonly Reservation[] =>
  shared?.seen.reservations ?? readReservations();

/** Refuses to change a domain that runs on another host: what it runs with is changed there. */
export function refuseElsewhere(
  purpose: string,
  { uuid, name }: Pick<Domain, 'uuid' | 'name'>,
  shared: Shared | undefined,
): void {
  const run = shared?.seen.runs.get(uuid);
  if (run !== undefined && run.host !== shared?.cluster.self)
    throw new Refusal(`Cannot ${purpose} ${quote(name)}: it runs on ${run.host}; do it there`);
}

/**
 * Claims what a domain gets, makes the change, and gives back what the domains have no more. If the change fails, the claims
 * are as they were.
 * @param after the domains as they are then
 * @throws OutrunRefusal with nothing changed, for {@link sharing}
 */
export function exchanging<T>(
  shared: Shared | undefined,
  { domain }: Pick<KnownDomain, 'domain'>,
  addresses: readonly Address[],
  { warn }: Pick<Context, 'warn'>,
  change: () => T,
  after: (done: T) => readonly KnownDomain[],
): T {
  if (shared === undefined) return change();
  const { cluster, seen } = shared;
  const lacking = lackingClaims(addresses, domain, seen.claims);
  const taken =
    lacking.length === 0
      ? []
      : takeClaims(
          cluster,
          seen,
          lacking.map(address => ({ domain, address })),
        );
  const done = attempt(change, () => {
    const keyOf = ({ prefix }: Pick<Address, 'prefix'>): string => `${prefix.first}/${prefix.length}`;
    const before = new Map(seen.claims.map(one => [keyOf(one), one.entry.value]));
    giveBack(() => dropClaims(cluster, taken, one => before.get(keyOf(one))), warn);
  });
  const surplus = after(done).flatMap(known => {
    const kept = holdingsOf(known).map(({ address }) => address.prefix);
    const moved = taken.map(({ prefix }) => prefix);
    return surplusClaims(seen.claims, known.domain.uuid, [...kept, ...moved]);
  });
  if (surplus.length > 0) giveBack(() => dropClaims(cluster, surplus), warn);
  return done;
}

/** The assignment is as it is: that a claim is left over makes it no failure. */
function giveBack(drop: () => boolean, warn: (line: string) => void): void {
  let why = 'another host has changed them meanwhile';
  try {
    if (drop()) return;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    why = reason(error);
  }
  warn(`Cannot give back claims in the cluster: ${why}; hnet cluster join repeats it`);
}
