/** Changes what running domains have: all of it, or nothing. */

import { firewallFor } from '../host/choose-backend.ts';
import type { Host } from '../host/host.ts';
import { withLock } from '../host/lock.ts';
import { routesToScopes, type StartView } from '../host/observe/start.ts';
import { observe, observeWithUplinks } from '../host/observe/view.ts';
import { type Attachment, lostAddresses, prefixesOf } from '../model/attachment.ts';
import type { Taps } from '../model/bridge.ts';
import type { Config } from '../model/config.ts';
import { isSameForward } from '../model/forward-words.ts';
import { equal, isAmong, type Prefix } from '../model/prefix.ts';
import { Refusal } from '../model/refusal.ts';
import { surroundings } from '../model/uplink.ts';
import type { Change } from '../plan/change.ts';
import type { Checked } from '../plan/walker.ts';
import {
  readableAttachment,
  removeAttachment,
  rewriteAttachment,
  writeAttachment,
} from '../state/attachment-store.ts';
import { placeClaims, surrenderClaims } from '../state/claim-index.ts';
import { admit } from './admit.ts';
import { apply, handedOver, type Means } from './apply.ts';

/**
 * Turns what a running domain has into what it should have, at once. Where it had nothing, it gets everything.
 * @returns what was brought up
 * @throws Refusal if another domain holds what it would get, with all as it was
 */
export const change = (after: Attachment, taps: Taps, config: Config, host: Host): Checked[] =>
  changeAll(() => [{ before: readableAttachment(after.domain), after, taps }], config, host);

/** Which domain gives an address to which; `after` is the taker with the address, and the taps are the taker's. */
export interface Handover {
  readonly prefix: Prefix;
  readonly giver: Attachment;
  readonly taker: Attachment;
  readonly after: Attachment;
  readonly taps: Taps;
}

/**
 * Hands an address from one running domain to another. One route is replaced, and nothing else happens between the last
 * packet to the giver and the first to the taker; only where the giver has rules the route is removed first.
 * @throws Refusal, with all as it was
 */
export function handOver({ prefix, giver, taker, after, taps }: Handover, config: Config, host: Host): void {
  const rest = without(giver, [prefix]);
  changeAll(
    () => [
      { before: taker, after, taps },
      { before: giver, after: rest.addresses.length === 0 ? undefined : rest },
    ],
    config,
    host,
  );
}

/** The first of the domains has something afterwards. */
type Changes = readonly [Change & { readonly after: Attachment }, ...Change[]];

/** The lock is exclusive: if a domain stops meanwhile, its release waits, and then finds everything. */
function changeAll(read: () => Changes, config: Config, host: Host): Checked[] {
  return withLock('sync', 'exclusive', host, () => {
    const changes = read();
    // All domains that run have one filter.
    const firewall = firewallFor(changes[0].after, config.pools);
    const places = changes.flatMap(({ before, after }) => [before, after]).flatMap(prefixesOf);
    const { view, uplinks } = observeWithUplinks(host, firewall, config, places);
    const scopes = changes.flatMap(({ after }) => after?.addresses.map(({ scope }) => scope) ?? []);
    const seen = { view, uplinks, routes: routesToScopes(host, scopes) };
    const means = { dhcp: config.dhcp, ...surroundings(config, uplinks), firewall, host };
    const isNew = withLock('claims', 'exclusive', host, () => claim(changes, seen, config, means));
    try {
      const done = apply(changes, { ...means, view: isNew ? observe(host, firewall, places) : view });
      for (const one of changes) settle(one);
      return done;
    } catch (error) {
      revert(changes, means);
      throw error;
    }
  });
}

/**
 * Admits the domains that get something. Until the change is done, an attachment holds the old and the new addresses, so
 * a release in between, or after a crash, finds everything. A moving claim belongs to nobody for a moment, never to two.
 * @returns whether something of the base was missing
 */
function claim(
  changes: Changes,
  seen: StartView,
  config: Config,
  { firewall, host }: Omit<Means, 'view'>,
): boolean {
  const moved = handedOver(changes);
  const gives = ({ before, after }: Change): boolean =>
    lostAddresses(before, after).some(prefix => isAmong(moved, prefix));
  const givers = changes.filter(gives).flatMap(({ before }) => before ?? []);
  for (const giver of givers) surrenderClaims(giver, without(giver, moved), 'ip-');
  try {
    return changes
      .filter(each => !gives(each))
      .map(
        ({ before, after }) =>
          after !== undefined && admit(both(before, after), seen, config, firewall, host),
      )
      .includes(true);
  } catch (error) {
    for (const giver of givers) placeClaims(giver);
    throw error;
  }
}

const without = (attachment: Attachment, prefixes: readonly Prefix[]): Attachment => ({
  ...attachment,
  addresses: attachment.addresses.filter(({ prefix }) => !isAmong(prefixes, prefix)),
});

function both(before: Attachment | undefined, after: Attachment): Attachment {
  const leaving = (before?.addresses ?? []).filter(
    old => !after.addresses.some(one => equal(one.prefix, old.prefix) && one.bridge === old.bridge),
  );
  const closing = (before?.forwards ?? []).filter(
    old => !after.forwards?.some(one => isSameForward(one, old)),
  );
  const forwards = [...(after.forwards ?? []), ...closing];
  return {
    ...after,
    addresses: [...after.addresses, ...leaving],
    ...(forwards.length > 0 && { forwards }),
  };
}

/** The attachments say what each domain has now. */
function settle({ before, after }: Change): void {
  if (after === undefined) {
    if (before !== undefined) removeAttachment(before);
    return;
  }
  rewriteAttachment(after);
  if (before !== undefined) surrenderClaims(before, after);
}

/**
 * Restores the former state as far as possible; the caller reports the first failure. It takes nothing down, because what
 * was refused may be somebody else's.
 */
function revert(changes: Changes, means: Omit<Means, 'view'>): void {
  const former = changes.filter(({ before }) => before !== undefined);
  try {
    for (const { before, after } of changes) {
      if (before !== undefined && after !== undefined) surrenderClaims(after, before);
      else if (after !== undefined) removeAttachment(after);
    }
    for (const { before } of former) if (before !== undefined) writeAttachment(before);
    if (former.length > 0)
      apply(
        former.map(one => ({ ...one, after: one.before })),
        {
          ...means,
          view: observe(
            means.host,
            means.firewall,
            former.flatMap(({ before }) => prefixesOf(before)),
          ),
        },
        'go on',
      );
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}
