/** Changes what running domains have: all of it, or nothing. */

import { around } from '../cluster/around.ts';
import { firewallFor } from '../host/choose-backend.ts';
import type { Host } from '../host/host.ts';
import { withLock } from '../host/lock.ts';
import { routesToScopes, type StartView } from '../host/observe/start.ts';
import { observe, observeWithUplinks } from '../host/observe/view.ts';
import { type Attachment, lostAddresses, prefixesOf } from '../model/attachment.ts';
import type { Taps } from '../model/bridge.ts';
import type { Config } from '../model/config.ts';
import type { Difference } from '../model/difference.ts';
import { isHere } from '../model/move.ts';
import { isAmong, type Prefix } from '../model/prefix.ts';
import { quote, Refusal } from '../model/refusal.ts';
import type { Change } from '../plan/change.ts';
import { basePlan } from '../plan/plan.ts';
import { type Checked, check, refuseForeign } from '../plan/walker.ts';
import { isWrong, whyOf } from '../resources/resource.ts';
import {
  readableAttachment,
  refuseClaimed,
  removeAttachment,
  writeAttachment,
} from '../state/attachment-store.ts';
import { placeClaims, surrenderClaims } from '../state/claim-index.ts';
import { admit, refuseUnfit } from './admit.ts';
import { apply, driftOf, handedOver, type Means, wrongOf } from './apply.ts';
import { both, type Changes, settle, withoutAddresses } from './settle.ts';

/**
 * Turns what a running domain has into what it should have, at once. Where it had nothing, it gets everything.
 * @returns what it repaired by the way
 * @throws Refusal if another domain holds what it would get, with all as it was
 */
export const change = (after: Attachment, taps: Taps, config: Config, host: Host): Difference[] =>
  changeAll(() => changeOf(after, taps), config, host);

/** What {@link change} would repair by the way. It changes nothing. @throws Refusal for what that would be refused for */
export const foreseeChange = (after: Attachment, taps: Taps, config: Config, host: Host): Difference[] =>
  foreseeAll(changeOf(after, taps), config, host);

function changeOf(after: Attachment, taps: Taps): Changes {
  const before = readableAttachment(after.domain);
  return [{ before, after: inStateOf(before, after), taps }];
}

/**
 * A domain that moves between hosts has the same on both; what changes it meanwhile would be known to one of them.
 * @throws Refusal for one that isn't wholly here
 */
function inStateOf(before: Attachment | undefined, after: Attachment): Attachment {
  const { name, state } = before ?? after;
  if (isHere(state)) return state === undefined ? after : { ...after, state };
  const way = state === 'leaving' ? 'to another host' : 'to this host';
  throw new Refusal(
    `Cannot change the addresses of ${quote(name)}: it is on its way ${way}; repeat it when it has arrived`,
  );
}

/** Which domain gives an address to which; `after` is the taker with the address, and the taps are the taker's. */
export interface Handover {
  readonly prefix: Prefix;
  readonly giver: Attachment;
  /** Undefined: it has nothing yet. */
  readonly taker: Attachment | undefined;
  readonly after: Attachment;
  readonly taps: Taps;
}

/**
 * Hands an address from one running domain to another. One route is replaced, and nothing else happens between the last
 * packet to the giver and the first to the taker; only where the giver has rules the route is removed first.
 * @returns what it repaired by the way
 * @throws Refusal, with all as it was
 */
export const handOver = (handover: Handover, config: Config, host: Host): Difference[] =>
  changeAll(() => changesOf(handover), config, host);

/** What {@link handOver} would repair by the way, as {@link foreseeChange}. */
export const foreseeHandover = (handover: Handover, config: Config, host: Host): Difference[] =>
  foreseeAll(changesOf(handover), config, host);

function changesOf({ prefix, giver, taker, after, taps }: Handover): Changes {
  const rest = inStateOf(giver, withoutAddresses(giver, [prefix]));
  return [
    { before: taker, after: inStateOf(taker, after), taps },
    { before: giver, after: rest.addresses.length === 0 ? undefined : rest },
  ];
}

function foreseeAll(changes: Changes, config: Config, host: Host): Difference[] {
  const { seen, means } = lookAround(changes, config, host);
  return foresee(changes, seen, config, means);
}

/** The lock is exclusive: if a domain stops meanwhile, its release waits, and then finds everything. */
function changeAll(read: () => Changes, config: Config, host: Host): Difference[] {
  return withLock('sync', 'exclusive', host, () => {
    const changes = read();
    const { seen, means, places } = lookAround(changes, config, host);
    const repaired = repairs(changes, seen, config, means);
    const isNew = withLock('claims', 'exclusive', host, () => claimAll(changes, seen, config, means));
    try {
      apply(changes, { ...means, view: isNew ? observe(host, means.firewall, places) : seen.view });
      for (const one of changes) settle(one);
      return repaired;
    } catch (error) {
      revert(changes, means);
      throw error;
    }
  });
}

/** The host around what the domains have and get. */
function lookAround(changes: Changes, config: Config, host: Host) {
  // All domains that run have one filter.
  const firewall = firewallFor(changes[0].after, config.pools);
  const places = changes.flatMap(({ before, after }) => [before, after]).flatMap(prefixesOf);
  const { view, uplinks } = observeWithUplinks(host, firewall, config, places);
  const scopes = changes.flatMap(({ after }) => after?.addresses.map(({ scope }) => scope) ?? []);
  const seen: StartView = { view, uplinks, routes: routesToScopes(host, scopes) };
  return { seen, places, means: { dhcp: config.dhcp, ...around(config, uplinks), firewall, host } };
}

/** What a change would repair by the way. It changes nothing. @throws Refusal for what the change would be refused for */
function foresee(
  changes: Changes,
  seen: StartView,
  config: Config,
  means: Omit<Means, 'view'>,
): Difference[] {
  const moved = handedOver(changes);
  for (const { after } of changes) {
    if (after === undefined) continue;
    refuseClaimed(withoutAddresses(after, moved));
    refuseUnfit(after, seen, config);
  }
  refuseForeign(changes.flatMap(one => wrongOf(one, { ...means, view: seen.view })));
  return repairs(changes, seen, config, means);
}

/** What was wrong before a change, and isn't after it. */
function repairs(
  changes: Changes,
  { view, uplinks }: StartView,
  config: Config,
  means: Omit<Means, 'view'>,
): Difference[] {
  const base = check(basePlan(config, uplinks, means.firewall), view).filter(isWrong);
  const told = (domain: string | null, wrong: readonly Checked[]): Difference[] =>
    wrong.map(({ resource, finding }) => ({
      is: finding.is === 'absent' ? 'added' : 'changed',
      domain,
      what: `${resource.label} (${whyOf(finding, 'it was missing')})`,
    }));
  return [
    ...told(null, base),
    ...changes.flatMap(one => told(one.before?.name ?? null, driftOf(one, { ...means, view }))),
  ];
}

/**
 * Admits the domains that get something. Until the change is done, an attachment holds the old and the new addresses, so
 * a release in between, or after a crash, finds everything. A moving claim belongs to nobody for a moment, never to two.
 * @returns whether something of the base was missing
 */
function claimAll(
  changes: Changes,
  seen: StartView,
  config: Config,
  { firewall, host }: Omit<Means, 'view'>,
): boolean {
  const moved = handedOver(changes);
  const gives = ({ before, after }: Change): boolean =>
    lostAddresses(before, after).some(prefix => isAmong(moved, prefix));
  const givers = changes.filter(gives).flatMap(({ before }) => before ?? []);
  for (const giver of givers) surrenderClaims(giver, withoutAddresses(giver, moved), 'ip-');
  try {
    return changes
      .filter(each => !gives(each))
      .map(
        ({ before, after }) =>
          after !== undefined && admit(both(before, after), seen, config, firewall, host, after),
      )
      .includes(true);
  } catch (error) {
    for (const giver of givers) placeClaims(giver);
    throw error;
  }
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
