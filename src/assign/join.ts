/** Takes a host with its domains into a cluster. */

import { ownOf, peerAddresses } from '../cluster/around.ts';
import {
  collisionOf,
  dropClaims,
  holderText,
  lackingClaims,
  surplusClaims,
  takeClaims,
  type Wanted,
} from '../cluster/claims.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Claim, Contents } from '../cluster/contents.ts';
import { keep } from '../cluster/reservations.ts';
import type { Peer } from '../cluster/values.ts';
import type { KnownDomain } from '../libvirt/libvirt.ts';
import { format } from '../model/address.ts';
import type { PeerAddress } from '../model/host-address.ts';
import { contains, overlaps } from '../model/prefix.ts';
import { quote, Refusal } from '../model/refusal.ts';
import { forWhom, keptFrom, type Reservation } from '../model/reservation.ts';
import { holdingsOf } from './inventory.ts';
import type { Holding } from './taken.ts';

/** What joining has changed; nothing, where all was so before. */
export interface Joined {
  readonly claimed: readonly Claim[];
  readonly givenBack: readonly Claim[];
  readonly reserved: readonly Reservation[];
}

/**
 * Claims what this host's domains have, gives back what they have no more, and hands its reservations to the cluster.
 * @param reservations those of this host
 * @param own what it says of itself
 * @throws Refusal that names everything that another host has, with nothing changed; OutrunRefusal as takeClaims
 */
export function join(
  cluster: Cluster,
  seen: Contents,
  domains: readonly KnownDomain[],
  reservations: readonly Reservation[],
  own: Peer,
): Joined {
  const holdings = domains.flatMap(holdingsOf);
  const peers = peerAddresses({ cluster: cluster.settings }, seen);
  const conflicts = [
    ...ownIn(seen.claims, own),
    ...holdings.flatMap(one => peersOwn(one, peers)),
    ...holdings.flatMap(one => conflictOf(one, seen)),
    ...reservations.flatMap(one => conflictWith(one, seen)),
    ...domains.flatMap(one => twinOf(one, cluster, seen)),
  ];
  if (conflicts.length > 0)
    throw new Refusal(`Cannot join ${quote(cluster.settings.name)}: ${conflicts.join('; ')}`);
  const wanted = domains.flatMap(known => wantedBy(known, holdings, seen.claims));
  const claimed = takeClaims(cluster, seen, wanted);
  const reserved = reservations.filter(one => !seen.reservations.some(other => isSame(one, other)));
  const sequence = claimed.at(-1)?.entry.revision ?? seen.sequence;
  if (reserved.length > 0) keep(cluster, { sequence }, reserved);
  const givenBack = domains.flatMap(({ domain: { uuid } }) =>
    surplusClaims(
      seen.claims,
      uuid,
      holdings.filter(one => one.domain === uuid).map(({ address }) => address.prefix),
    ),
  );
  if (givenBack.length > 0) dropClaims(cluster, givenBack);
  return { claimed, givenBack, reserved };
}

const isSame = (one: Reservation, other: Reservation): boolean =>
  format(one.address) === format(other.address) && one.name === other.name;

function wantedBy({ domain }: KnownDomain, holdings: readonly Holding[], claims: readonly Claim[]): Wanted[] {
  const own = holdings.filter(one => one.domain === domain.uuid).map(({ address }) => address);
  return lackingClaims(own, domain, claims).map(address => ({ domain, address }));
}

/** What this host has itself, and a domain of another host has too. */
const ownIn = (claims: readonly Claim[], own: Peer): string[] =>
  claims.flatMap(({ prefix, name }) => {
    const held = ownOf(own).find(address => contains(prefix, address));
    return held === undefined ? [] : [`${format(held)} is this host's own, and ${quote(name)} has it`];
  });

/** What of a domain's another host has itself. */
const peersOwn = ({ name, address: { prefix } }: Holding, peers: readonly PeerAddress[]): string[] =>
  peers
    .filter(({ address }) => contains(prefix, address))
    .map(({ address, host }) => `${format(address)} of ${quote(name)} is ${host}'s own`);

/** What of a domain's another one has, or the cluster keeps. */
function conflictOf({ domain, name, address }: Holding, seen: Contents): string[] {
  const collision = collisionOf(address, domain, seen.claims);
  if (collision !== undefined)
    return [`${collision.what} of ${quote(name)} belongs to ${holderText(collision.claim, seen)}`];
  const kept = keptFrom(address.prefix, name, seen.reservations);
  return kept === undefined
    ? []
    : [`${format(address.prefix)} of ${quote(name)} is reserved ${forWhom(kept)}`];
}

/** What of a reservation a domain elsewhere has, or the cluster keeps for another. */
function conflictWith(one: Reservation, { claims, reservations }: Contents): string[] {
  const holder = claims.find(claim => claim.name !== one.name && overlaps(claim.prefix, one.address));
  if (holder !== undefined)
    return [`${format(one.address)} is reserved here ${forWhom(one)}, and ${quote(holder.name)} has it`];
  const other = reservations.find(held => overlaps(held.address, one.address) && !isSame(held, one));
  return other === undefined
    ? []
    : [`${format(one.address)} is reserved here ${forWhom(one)}, and there ${forWhom(other)}`];
}

/** A domain that runs here and elsewhere. */
function twinOf({ domain, active }: KnownDomain, { self }: Cluster, { runs }: Contents): string[] {
  const run = runs.get(domain.uuid);
  return active && run !== undefined && run.host !== self && run.to !== self
    ? [`${quote(domain.name)} runs here, and on ${run.host}`]
    : [];
}
