/** Changes what a running domain has, while it goes on running. */

import type { Firewall } from '../firewall/rules/backend.ts';
import { withoutRules } from '../firewall/rules/guarded.ts';
import { firewallFor } from '../host/choose-backend.ts';
import { forgetFlows } from '../host/flows.ts';
import type { Host } from '../host/host.ts';
import { withLock } from '../host/lock.ts';
import { observe } from '../host/observe/view.ts';
import type { Address } from '../model/assignment.ts';
import type { Attachment } from '../model/attachment.ts';
import type { Config } from '../model/config.ts';
import { equal, type Prefix } from '../model/prefix.ts';
import { Refusal } from '../model/refusal.ts';
import { isTracked } from '../model/rule.ts';
import type { View } from '../model/view.ts';
import { domainPlan } from '../plan/plan.ts';
import { type Checked, down, up } from '../plan/walker.ts';
import { hostRoute } from '../resources/route.ts';
import { removeAttachment, rewriteAttachment, writeAttachment } from '../state/attachment-store.ts';
import { surrenderClaims } from '../state/claim-index.ts';
import { addUp } from '../state/ledger.ts';
import { admit, changeOwner, readOrDiscard } from './attach.ts';

export type Taps = ReadonlyMap<string, readonly string[]>;

/**
 * Turns what a running domain has into what it shall have, at once: what it keeps isn't touched, so its other
 * flows don't lose a packet. Where it had nothing, it gets everything.
 *
 * The lock is exclusive, because the domain may end meanwhile: its release then waits, and finds what stands.
 * @returns what was brought up
 * @throws Refusal if another domain holds what it would get, with all as it was
 */
export function reconfigure(next: Attachment, taps: Taps, config: Config, host: Host): Checked[] {
  return withLock('sync', 'exclusive', host, () => {
    const before = readOrDiscard(next.domain);
    const leaving = leavers(before, next);
    // Until they are gone, the attachment holds both: a release in between, or after a crash, finds everything.
    const both = { ...next, addresses: [...next.addresses, ...leaving] };
    const firewall = firewallFor(both, config.pools);
    withLock('claims', 'exclusive', host, () => admit(both, config, firewall, host));
    const view = observe(host, firewall);
    const underway = before !== undefined && !isTracked(before.policy);
    const plan = domainPlan({ ...next, taps, underway }, config.dhcp, firewall);
    try {
      for (const address of next.addresses) changeOwner(address, next.domain, host);
      removeRoutes(leaving, next, view, host);
      const done = up(plan, view, host);
      if (before !== undefined) removeRest(before, next, config, view, host);
      rewriteAttachment(next);
      surrenderClaims(both, next);
      return done;
    } catch (error) {
      revert(both, before, taps, config, host);
      throw error;
    }
  });
}

const sameAddress = (a: Address, b: Address): boolean => equal(a.prefix, b.prefix) && a.bridge === b.bridge;

/** Addresses that a domain has and shall no longer have, or on another bridge. */
export const leavers = (before: Attachment | undefined, next: Attachment): Address[] =>
  (before?.addresses ?? []).filter(old => !next.addresses.some(one => sameAddress(one, old)));

/** First of all, so that no packet comes for an address whose rules are about to go. */
function removeRoutes(leaving: readonly Address[], next: Attachment, view: View, host: Host): void {
  const gone = leaving.filter(({ prefix }) => !next.addresses.some(one => equal(one.prefix, prefix)));
  failOn(
    down(
      gone.map(({ prefix, bridge }) => hostRoute(prefix, bridge)),
      view,
      host,
    ),
  );
}

/** What the old plan has and the new one hasn't; traffic is added up, and flows are forgotten. */
function removeRest(before: Attachment, next: Attachment, config: Config, view: View, host: Host): void {
  const firewall = firewallFor(before, config.pools);
  const kept = new Set(domainPlan(next, config.dhcp, firewall).map(({ label }) => label));
  const gone = domainPlan(before, config.dhcp, firewall).filter(({ label }) => !kept.has(label));
  const leaving = leavers(before, next).filter(
    ({ prefix }) => !next.addresses.some(one => equal(one.prefix, prefix)),
  );
  for (const { prefix } of leaving) addUp(prefix, before.domain, view.filter, true);
  releaseRules(leavingRanges(before, next), firewall, host);
  failOn(down(gone, view, host));
  for (const { prefix } of leaving) forgetFlows(prefix, host);
}

/** Addresses and scopes that one attachment has and another hasn't. */
export function leavingRanges(before: Attachment, next: Attachment): Prefix[] {
  const ranges = ({ addresses }: Attachment) => addresses.flatMap(({ prefix, scope }) => [prefix, scope]);
  const kept = ranges(next);
  return ranges(before).filter(one => !kept.some(other => equal(one, other)));
}

/** The domain's rules stay for the others; only what leaves them is taken out. */
export function releaseRules(leaving: readonly Prefix[], firewall: Firewall, host: Host): void {
  for (const action of withoutRules(leaving, firewall)) {
    if (action.kind === 'line')
      // One by one: of a batch that fails, nft does nothing.
      host.perform({ kind: 'lines', tool: action.tool, lines: [action.words.join(' ')] }, true);
  }
}

function failOn(failures: readonly string[]): void {
  if (failures.length > 0) throw new Refusal(failures.join('; '));
}

/** Back to what stood, as far as it goes: the first failure is the one that is told. */
export function revert(
  tried: Attachment,
  before: Attachment | undefined,
  taps: Taps,
  config: Config,
  host: Host,
): void {
  if (before === undefined) {
    removeAttachment(tried);
    return;
  }
  const firewall = firewallFor(before, config.pools);
  try {
    writeAttachment(before);
    surrenderClaims(tried, before);
    up(domainPlan({ ...before, taps }, config.dhcp, firewall), observe(host, firewall), host);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}
