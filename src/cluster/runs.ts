/** On which host a domain runs: one alone, by etcd's word. */

import { format } from '../model/address.ts';
import type { Address } from '../model/bridge.ts';
import { equal } from '../model/prefix.ts';
import { Refusal } from '../model/refusal.ts';
import { refuseKept } from '../model/reservation.ts';
import { collisionOf, holderText, lackingClaims } from './claims.ts';
import { type Cluster, MOST_AT_ONCE } from './cluster.ts';
import { type Contents, contentsOf, holdsClaim, look, refuseUnreadable } from './contents.ts';
import { letGo, noteHeld } from './held.ts';
import { claimKey, placeKey, rootOf, runKey, sequenceKey } from './keys.ts';
import type { Compare } from './transaction.ts';
import { claimText, type Named, placeText, type Run, runText } from './values.ts';

/** A domain that is to run here. */
export interface Starting extends Named {
  readonly addresses: readonly Address[];
}

/** Of one start: which kernel, and something that no other start has. */
export interface Start {
  readonly boot: string;
  readonly start: string;
}

/**
 * Notes that a domain runs here from now on, and claims what nobody has of its addresses: metadata may come from a template,
 * past `hnet assign`. One call of etcdctl where it ran nowhere and has its claims; two where it ran here before, or claims.
 * @returns what was noted
 * @throws Refusal if it runs on another host, or another domain has what it would get; SilentRefusal if etcd doesn't answer
 */
export function admitRun(cluster: Cluster, domain: Starting, start: Start): Run {
  const run: Run = { host: cluster.self, ...start };
  const isMany = domain.addresses.length > MOST_AT_ONCE;
  let seen = isMany ? look(cluster) : note(cluster, domain, run, NEVER_RUN, [], claimsHeld(cluster, domain));
  for (let tries = 0; seen !== undefined; tries++) {
    const noted = seen.runs.get(domain.uuid);
    // An earlier attempt succeeded, but its answer was lost.
    if (noted?.entry.value === runText(run)) break;
    if (tries === TRIES) throw new Refusal('other hosts change assignments all the time; start it again');
    if (noted !== undefined && noted.host !== cluster.self) letGo(domain.uuid);
    refuseUnreadable(seen, key => key === runKey(cluster.settings, domain.uuid));
    refuseRun(cluster, domain, seen);
    const lacking = lackingClaims(domain.addresses, domain, seen.claims);
    if (lacking.length > 0) refuseTaken(domain, seen);
    const held =
      lacking.length > 0 || isMany
        ? [{ key: sequenceKey(cluster.settings), revision: seen.sequence }]
        : claimsHeld(cluster, domain);
    seen = note(cluster, domain, run, noted?.entry.revision ?? NEVER_RUN, lacking, held);
  }
  noteHeld(domain.uuid, domain.name);
  return run;
}

/** The revision of a key that isn't there. */
const NEVER_RUN = 0;
/** So often another host may be faster. */
const TRIES = 5;

const claimsHeld = ({ settings }: Cluster, domain: Starting): Compare[] =>
  domain.addresses.map(one => ({ key: claimKey(settings, one.prefix), value: claimText(one, domain) }));

/**
 * @param ran the revision of its run
 * @param held what shows that its claims are still as they were seen
 * @returns undefined, or what is there if it isn't so any more
 */
function note(
  { settings, etcd }: Cluster,
  domain: Starting,
  run: Run,
  ran: number,
  lacking: readonly Address[],
  held: readonly Compare[],
): Contents | undefined {
  const { uuid, name } = domain;
  const answer = etcd.transact({
    compare: [{ key: runKey(settings, uuid), revision: ran }, ...held],
    success: [
      { put: runKey(settings, uuid), value: runText(run) },
      { put: placeKey(settings, uuid), value: placeText({ host: run.host, name }) },
      ...(lacking.length > 0 ? [{ put: sequenceKey(settings), value: '' }] : []),
      ...lacking.map(one => ({ put: claimKey(settings, one.prefix), value: claimText(one, domain) })),
    ],
    failure: [{ getAll: rootOf(settings) }],
  });
  return answer.succeeded ? undefined : contentsOf(settings, answer);
}

/** Refuses a domain that runs on another host, or may by now. */
function refuseRun(
  { self }: Pick<Cluster, 'self'>,
  { uuid }: Pick<Starting, 'uuid'>,
  { runs, hosts }: Pick<Contents, 'runs' | 'hosts'>,
): void {
  const run = runs.get(uuid);
  if (run === undefined || (run.host === self && run.to === undefined)) return;
  if (run.host === self)
    throw new Refusal(
      `it was on its way to ${run.to}, and may run there; hnet-watch on ${run.to} finds out within a minute, and if that host is dead, hnet host dead ${run.to} frees it`,
    );
  const out = hosts.has(run.host)
    ? 'virsh migrate brings it here'
    : `${run.host} doesn't answer: if it is dead, hnet host dead ${run.host} frees what ran there`;
  throw new Refusal(`it runs on ${run.host}; ${out}`);
}

/** Refuses what another domain has, or the operator keeps. */
function refuseTaken({ uuid, name, addresses }: Starting, seen: Contents): void {
  refuseUnreadable(seen, holdsClaim);
  for (const address of addresses) {
    const collision = collisionOf(address, uuid, seen.claims);
    if (collision !== undefined)
      throw new Refusal(
        `${collision.what} belongs to domain ${holderText(collision.claim, seen)}; hnet unassign there releases it`,
      );
  }
  refuseKept(
    addresses.map(({ prefix }) => prefix),
    name,
    seen.reservations,
  );
}

/** Takes a run back that came to nothing, if etcd can be asked; otherwise the daemon finds it. */
export function withdrawRun({ settings, etcd }: Cluster, uuid: string, run: Run): void {
  const key = runKey(settings, uuid);
  etcd.transact({ compare: [{ key, value: runText(run) }], success: [{ delete: key }], failure: [] });
}

/**
 * Notes that a domain is on its way here from the host on which it runs.
 * @throws Refusal if by etcd's word it runs nowhere, or hasn't what it would bring along; with nothing changed
 */
export function expectRun(cluster: Cluster, domain: Starting): void {
  const { settings, self, etcd } = cluster;
  const seen = look(cluster);
  const key = runKey(settings, domain.uuid);
  refuseUnreadable(seen, one => one === key);
  const run = seen.runs.get(domain.uuid);
  if (run === undefined)
    throw new Refusal(
      "etcd doesn't know that it runs anywhere; if it runs, run hnet cluster join there; a stopped one is moved with virsh define",
    );
  for (const { prefix } of domain.addresses)
    if (!seen.claims.some(one => one.domain === domain.uuid && equal(one.prefix, prefix)))
      throw new Refusal(
        `${format(prefix)} isn't claimed for it in etcd; hnet cluster join on ${run.host} puts it right`,
      );
  // It has just come from here, and its arrival isn't noted yet.
  if (run.host === self) return;
  const { succeeded, entries } = etcd.transact({
    compare: [{ key, revision: run.entry.revision }],
    success: [{ put: key, value: runText({ ...run, to: self }) }],
    failure: [{ get: key }],
  });
  if (!succeeded && entries.get(key)?.value !== runText({ ...run, to: self }))
    throw new Refusal(`its run on ${run.host} has changed meanwhile; try again`);
}
