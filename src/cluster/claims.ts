/** Claims in etcd: who has which address, anywhere in the cluster. */
import { format } from '../model/address.ts';
import type { Address } from '../model/bridge.ts';
import { isAmong, overlaps, type Prefix } from '../model/prefix.ts';
import { quote } from '../model/refusal.ts';
import { chunks } from './at-once.ts';
import type { Cluster } from './cluster.ts';
import type { Claim, Contents } from './contents.ts';
import { claimKey, placeKey } from './keys.ts';
import { changeInOrder } from './sequence.ts';
import { claimText, type Named, placeText } from './values.ts';

/** An address for a domain of this host. */
export interface Wanted {
  readonly domain: Named;
  readonly address: Pick<Address, 'prefix' | 'bridge' | 'scope'>;
}

/** The claims that a domain would have, and hasn't as they are. */
export const lackingClaims = <T extends Wanted['address']>(
  addresses: readonly T[],
  domain: Named,
  claims: readonly Claim[],
): T[] =>
  addresses.filter(
    one => !claims.some(held => isSame(held, one) && held.entry.value === claimText(one, domain)),
  );

const isSame = (held: Claim, { prefix }: Pick<Address, 'prefix'>): boolean => isAmong([prefix], held.prefix);

/**
 * Claims addresses for domains of this host, and overwrites other claims on them: the caller has checked that they are free, or its
 * own to give.
 * @param seen what the caller read before it chose
 * @returns the claims as they are now
 * @throws OutrunRefusal if any claim has changed since; of more than {@link MOST_AT_ONCE} some may be claimed by then
 */
export function takeClaims(
  cluster: Cluster,
  seen: Pick<Contents, 'sequence'>,
  wanted: readonly Wanted[],
): Claim[] {
  let { sequence } = seen;
  return chunks(wanted).flatMap(some => {
    sequence = takeSome(cluster, sequence, some);
    return some.map(({ domain, address }) => ({
      ...address,
      domain: domain.uuid,
      name: domain.name,
      entry: { value: claimText(address, domain), revision: sequence },
    }));
  });
}

/** @returns the revision in which they were written */
function takeSome(cluster: Cluster, sequence: number, wanted: readonly Wanted[]): number {
  const { settings, self } = cluster;
  const places = new Map(
    wanted.map(({ domain: { uuid, name } }) => [placeKey(settings, uuid), placeText({ host: self, name })]),
  );
  return changeInOrder(cluster, sequence, [
    ...wanted.map(({ domain, address }) => ({
      put: claimKey(settings, address.prefix),
      value: claimText(address, domain),
    })),
    ...[...places].map(([key, value]) => ({ put: key, value })),
  ]);
}

/**
 * Removes claims, or restores their former holders; none that has changed since it was read.
 * @param former the text that a claim had before; undefined: none
 * @returns whether all of them are as they should be
 */
export function dropClaims(
  { settings, etcd }: Cluster,
  claims: readonly Claim[],
  former: (claim: Claim) => string | undefined = () => undefined,
): boolean {
  return chunks(claims)
    .map(claims => {
      const some = claims.map(one => ({ key: claimKey(settings, one.prefix), one, value: former(one) }));
      const { succeeded, entries } = etcd.transact({
        compare: some.map(({ key, one }) => ({ key, revision: one.entry.revision })),
        success: some.map(({ key, value }) => (value === undefined ? { delete: key } : { put: key, value })),
        failure: some.map(({ key }) => ({ get: key })),
      });
      return succeeded || some.every(({ key, value }) => entries.get(key)?.value === value);
    })
    .every(isDone => isDone);
}

/** The claims of a domain that aren't for any of some addresses. */
export const surplusClaims = (claims: readonly Claim[], uuid: string, kept: readonly Prefix[]): Claim[] =>
  claims.filter(one => one.domain === uuid && !isAmong(kept, one.prefix));

/** What another domain has of an address or of what comes with it, in words, and its claim. */
export function collisionOf(
  { prefix, bridge, scope }: Wanted['address'],
  uuid: string,
  claims: readonly Claim[],
): { readonly what: string; readonly claim: Claim } | undefined {
  const claim = claims.find(
    one =>
      one.domain !== uuid &&
      (overlaps(one.prefix, prefix) || one.bridge === bridge || overlaps(one.scope, scope)),
  );
  if (claim === undefined) return undefined;
  if (overlaps(claim.prefix, prefix)) return { what: format(prefix), claim };
  return { what: claim.bridge === bridge ? `bridge ${bridge}` : `scope ${format(scope)}`, claim };
}

/** `"vm2" on h2`. */
export const holderText = ({ domain, name }: Claim, { places }: Pick<Contents, 'places'>): string => {
  const where = places.get(domain)?.host;
  return `${quote(name)}${where === undefined ? '' : ` on ${where}`}`;
};
