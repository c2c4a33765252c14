/** Hands an address from one running domain to another, with the smallest gap. */

import type { Firewall } from '../firewall/rules/backend.ts';
import { domainFilter, ruledSets } from '../firewall/rules/guarded.ts';
import { firewallFor } from '../host/choose-backend.ts';
import { forgetFlows } from '../host/flows.ts';
import type { Host } from '../host/host.ts';
import { withLock } from '../host/lock.ts';
import { observe } from '../host/observe/view.ts';
import { format, formatLong } from '../model/address.ts';
import type { Attachment } from '../model/attachment.ts';
import type { Config } from '../model/config.ts';
import { equal, type Prefix } from '../model/prefix.ts';
import { isTracked } from '../model/rule.ts';
import type { View } from '../model/view.ts';
import { bridgesOf, domainPlan } from '../plan/plan.ts';
import { down, up } from '../plan/walker.ts';
import { batches } from '../resources/action.ts';
import type { Resource } from '../resources/resource.ts';
import { hostRoute } from '../resources/route.ts';
import { removeAttachment, rewriteAttachment } from '../state/attachment-store.ts';
import { surrenderClaims } from '../state/claim-index.ts';
import { beginAt } from '../state/ledger.ts';
import { admit } from './attach.ts';
import { leavingRanges, releaseRules, revert, type Taps } from './reconfigure.ts';

/** Who gives and who takes, before and after. */
export interface Transfer {
  readonly prefix: Prefix;
  readonly giver: Attachment;
  readonly taker: Attachment;
  /** What the taker has once it has the address. */
  readonly after: Attachment;
  /** The taker's taps. */
  readonly taps: Taps;
}

/**
 * One route is replaced, and nothing else has to happen between the last packet to the giver and the first to
 * the taker: so the gap is the kernel's. Only where the giver has rules of its own the route is removed first:
 * otherwise the address would be reached past them, or the taker's past its own.
 * @throws Refusal, with all as it was
 */
export function transfer(move: Transfer, config: Config, host: Host): void {
  withLock('sync', 'exclusive', host, () => {
    const { prefix, giver, taker, after, taps } = move;
    const rest = { ...giver, addresses: giver.addresses.filter(one => !equal(one.prefix, prefix)) };
    try {
      withLock('claims', 'exclusive', host, () => {
        // The claim first: for a moment nobody has it, and never two.
        surrenderClaims(giver, rest, `ip-`);
        admit(after, config, firewallFor(after, config.pools), host);
      });
      handOver(move, config, host);
    } catch (error) {
      revert(after, taker, taps, config, host);
      revert(giver, giver, new Map(), config, host);
      throw error;
    }
    retire(move, rest, config, host);
  });
}

function handOver({ prefix, giver, after, taps }: Transfer, config: Config, host: Host): void {
  const firewall = firewallFor(after, config.pools);
  const seen = observe(host, firewall);
  beginAt(prefix, after.domain, seen.filter);
  const isGuarded = isTracked(giver.policy) || giver.policy.isolate;
  const view = isGuarded ? withdraw(prefix, giver, seen, firewall, host) : seen;
  up(domainPlan({ ...after, taps }, config.dhcp, firewall), view, host);
  forgetFlows(prefix, host);
}

/**
 * Takes an address out of reach and out of its domain's rules. It is unreachable until the taker has it, so nothing
 * is looked at or tried in between that could be known before.
 * @returns the view as it is now
 */
function withdraw(prefix: Prefix, giver: Attachment, seen: View, firewall: Firewall, host: Host): View {
  const entry = formatLong(prefix);
  const holding = ruledSets(prefix, firewall).filter(name => {
    const contents = seen.filter.sets.get(name);
    return contents !== undefined && contents !== 'unread' && contents.has(entry);
  });
  const bridge = giver.addresses.find(one => equal(one.prefix, prefix))?.bridge ?? '';
  down([hostRoute(prefix, bridge)], seen, host);
  for (const batch of batches(holding.map(name => firewall.entries.remove(name, prefix))))
    host.perform(batch, true);
  const sets = [...seen.filter.sets].map(([name, contents]) =>
    holding.includes(name) && contents !== 'unread'
      ? ([name, new Map([...contents].filter(([key]) => key !== entry))] as const)
      : ([name, contents] as const),
  );
  return { ...seen, filter: { ...seen.filter, sets: new Map(sets) } };
}

/** What the giver no longer needs: its rules for the address, its bridge where nothing is left on it. */
function retire({ prefix, giver, after }: Transfer, rest: Attachment, config: Config, host: Host): void {
  const firewall = firewallFor(giver, config.pools);
  if (rest.addresses.length > 0) rewriteAttachment(rest);
  const kept = new Set(
    [
      ...(rest.addresses.length > 0 ? domainPlan(rest, config.dhcp, firewall) : []),
      ...domainPlan(after, config.dhcp, firewall).filter(({ label }) => label.includes(format(prefix))),
    ].map(({ label }) => label),
  );
  const scopes = leavingRanges(giver, rest).filter(one => !equal(one, prefix));
  // Where nothing is left, the rules go as a whole.
  if (rest.addresses.length > 0) releaseRules(scopes, firewall, host);
  const gone = domainPlan(giver, config.dhcp, firewall).filter(({ label }) => !kept.has(label));
  down(rest.addresses.length > 0 ? gone : withoutRulesOf(prefix, giver, gone), observe(host, firewall), host);
  if (rest.addresses.length === 0) removeAttachment(giver);
  else up(domainPlan(rest, config.dhcp, firewall), observe(host, firewall), host);
  surrenderClaims(giver, rest);
}

/** The giver's rules go without a word about the address: what stands there now is the taker's. */
function withoutRulesOf(prefix: Prefix, giver: Attachment, gone: readonly Resource[]): Resource[] {
  const scopes = bridgesOf(giver.domain, giver.addresses).map(({ scope }) => scope);
  const addresses = giver.addresses.map(one => one.prefix).filter(one => !equal(one, prefix));
  const own = domainFilter(
    { domain: giver.domain, addresses, scopes, policy: giver.policy, underway: false },
    firewallFor(giver),
  );
  return gone.map(resource => own.find(({ label }) => label === resource.label) ?? resource);
}
