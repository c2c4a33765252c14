/**
 * The one way from what domains have to what they shall have. A start has nothing before, a stop nothing after, a repair
 * the same on both sides; a live change has two attachments of one domain, and a move is two changes at once.
 */
import type { Firewall } from '../firewall/rules/backend.ts';
import { countedOf } from '../firewall/rules/counted.ts';
import { ruleEntries } from '../firewall/rules/guarded.ts';
import { forgetFlows } from '../host/flows.ts';
import type { Host } from '../host/host.ts';
import { look } from '../host/observe/parts.ts';
import { formatLong } from '../model/address.ts';
import { type Attachment, lostAddresses } from '../model/attachment.ts';
import type { Address } from '../model/bridge.ts';
import type { DhcpConfig } from '../model/config.ts';
import { DEFAULT_CONFIG } from '../model/parse-config.ts';
import { isTracked } from '../model/policy.ts';
import { isAmong, type Prefix } from '../model/prefix.ts';
import { Refusal } from '../model/refusal.ts';
import { EMPTY_VIEW, type FilterView, type View } from '../model/view.ts';
import type { Change } from '../plan/change.ts';
import { domainPlan } from '../plan/plan.ts';
import { type Checked, check, down, isWrong, mend, repair, up } from '../plan/walker.ts';
import { batches } from '../resources/action.ts';
import type { Resource } from '../resources/resource.ts';
import { hostRoute } from '../resources/route.ts';
import { removeAttachment } from '../state/attachment-store.ts';
import { addUp, beginAt, noteOwner, noteStart, readAccount } from '../state/ledger.ts';

/**
 * What becomes of a failure. `undo`: what this call has brought up is taken down again. `go on`: half of a running
 * domain's network is better than none. `stop`: the caller tries the domains one by one.
 */
type OnFailure = 'undo' | 'go on' | 'stop';

export interface Means {
  /** What stands on the host, or enough of it to tell what is lacking. */
  readonly view: View;
  readonly dhcp: DhcpConfig;
  /** All domains that run have one filter. */
  readonly firewall: Firewall;
  readonly host: Host;
}

/** A change, and what becomes of the domain's addresses. */
interface Step extends Change {
  readonly plan: readonly Resource[];
  /** Those that are new to it, and of these the ones that come from another domain of the same call. */
  readonly gained: readonly Address[];
  readonly takenOver: readonly Prefix[];
  /** Those that it loses to another domain of the same call, and those that nobody takes over. */
  readonly given: readonly Prefix[];
  readonly lost: readonly Prefix[];
}

/**
 * Brings up what shall be, then takes down what shall no longer be. What is on both sides isn't touched, so the flows of
 * the other addresses lose no packet. An address that leaves is out of reach before its rules go.
 * @returns the resources that were brought up
 * @throws Refusal with what failed
 */
export function apply(changes: readonly Change[], means: Means, onFailure: OnFailure = 'undo'): Checked[] {
  const steps = changes.map(change => toStep(change, handedOver(changes), means));
  for (const step of steps) noteOwners(step, means);
  const view = steps.reduce((seen, step) => putOutOfReach(step, { ...means, view: seen }), means.view);
  const now = { ...means, view };
  const done = bringUp(
    steps.map(({ plan }) => plan),
    now,
    onFailure,
  );
  for (const prefix of steps.flatMap(({ given }) => given)) forgetFlows(prefix, means.host);
  const kept = new Set(steps.flatMap(({ plan }) => plan.map(({ key }) => key)));
  for (const step of steps) takeDownRest(step, kept, now);
  return done;
}

/** Addresses that one domain loses and another gets. */
export const handedOver = (changes: readonly Change[]): Prefix[] =>
  changes
    .flatMap(({ before, after }) => lostAddresses(before, after))
    .filter(prefix => changes.some(({ before, after }) => isAmong(lostAddresses(after, before), prefix)));

function toStep(change: Change, moved: readonly Prefix[], means: Means): Step {
  const { before, after } = change;
  const isMoved = (prefix: Prefix): boolean => isAmong(moved, prefix);
  const [gone, come] = [lostAddresses(before, after), lostAddresses(after, before)];
  return {
    ...change,
    plan: planAfter(change, means),
    gained: after?.addresses.filter(({ prefix }) => isAmong(come, prefix)) ?? [],
    takenOver: come.filter(isMoved),
    given: gone.filter(isMoved),
    lost: gone.filter(prefix => !isMoved(prefix)),
  };
}

/** What a domain shall have once the change is made. */
export function planAfter(
  { before, after, taps, besides = [] }: Change,
  { dhcp, firewall }: Pick<Means, 'dhcp' | 'firewall'>,
): Resource[] {
  if (after === undefined) return [];
  const underway = before !== undefined && !isTracked(before.policy);
  return [...besides, ...domainPlan({ ...after, underway, ...(taps && { taps }) }, dhcp, firewall)];
}

/** What of that isn't as it should be. */
export const wrongOf = (change: Change, means: Omit<Means, 'host'>): Checked[] =>
  check(planAfter(change, means), means.view).filter(isWrong);

/** The kernel's counters begin at zero with an entry, and go on where the entry stands already. */
function noteOwners({ after, gained, takenOver }: Step, { view, host }: Means): void {
  for (const address of gained) {
    const { prefix } = address;
    const domain = after?.domain ?? '';
    if (isAmong(takenOver, prefix)) beginAt(prefix, domain, view.filter);
    else changeOwner(address, domain, host);
    if (countedOf(prefix, view.filter) === undefined) noteStart(prefix, domain);
  }
}

/**
 * Notes whose traffic is counted from now on. Flows that were tracked for an address's last owner would reach the next one
 * past every rule ("a potential security hole", as Calico's Felix found): they are forgotten when the owner changes.
 */
export function changeOwner({ prefix, scope }: Address, domain: string, host: Host): void {
  const before = readAccount(prefix);
  if (before?.domain === domain) return;
  noteOwner(prefix, domain);
  if (before !== undefined) for (const range of [prefix, scope]) forgetFlows(range, host);
}

/**
 * Takes away the routes of addresses whose rules are about to go: of those that a domain loses while it runs on, and of
 * those that go over from a domain with rules, which would otherwise be reached past somebody's rules. The latter leave
 * the giver's rules too. They are unreachable until the taker has them, so nothing is looked at in between.
 * @returns the view as it is now
 */
function putOutOfReach({ before, after, given, lost }: Step, means: Means): View {
  if (before === undefined) return means.view;
  const guarded = isTracked(before.policy) || before.policy.isolate ? given : [];
  // A stop takes everything down in the right order by itself.
  const leaving = after === undefined ? guarded : [...guarded, ...lost];
  const routes = before.addresses.filter(({ prefix }) => isAmong(leaving, prefix));
  takeDownAll(
    routes.map(({ prefix, bridge }) => hostRoute(prefix, bridge)),
    means,
  );
  return leaveRules(guarded, means);
}

/** Takes prefixes out of a domain's rules, which stay for its others. @returns the view without them */
function leaveRules(prefixes: readonly Prefix[], { view, firewall, host }: Means): View {
  const entries = ruleEntries(prefixes, view, firewall);
  for (const batch of batches(entries.map(({ set, prefix }) => firewall.entries.remove(set, prefix))))
    host.perform(batch, true);
  const sets = new Map(view.filter.sets);
  for (const { set, prefix } of entries) {
    const contents = sets.get(set);
    if (contents !== undefined && contents !== 'unread')
      sets.set(set, new Map([...contents].filter(([key]) => key !== formatLong(prefix))));
  }
  return { ...view, filter: { ...view.filter, sets } };
}

function bringUp(plans: readonly (readonly Resource[])[], means: Means, onFailure: OnFailure): Checked[] {
  const { view, host } = means;
  if (onFailure === 'stop') return mend(plans, view, host);
  if (onFailure === 'undo') return up(plans.flat(), view, host);
  const { done, failures } = repair(plans.flat(), view, host);
  if (failures.length > 0) throw new Refusal(failures.join('; '));
  return done;
}

/** What the domain had and shall no longer have; its traffic is added up, and its flows are forgotten where it runs on. */
function takeDownRest(step: Step, kept: ReadonlySet<string>, means: Means): void {
  const { before, after, given, lost } = step;
  if (before === undefined) return;
  const plan = domainPlan({ ...before, takenOver: given }, means.dhcp, means.firewall);
  takeDownAll(
    plan.filter(({ key }) => !kept.has(key)),
    means,
  );
  for (const prefix of lost) addUp(prefix, before.domain, means.view.filter, true);
  if (after === undefined) return;
  const ranges = ({ addresses }: Attachment) => addresses.flatMap(({ prefix, scope }) => [prefix, scope]);
  const left = ranges(before).filter(one => !isAmong(ranges(after), one) && !isAmong(given, one));
  leaveRules(left, means);
  for (const prefix of lost) forgetFlows(prefix, means.host);
}

function takeDownAll(resources: readonly Resource[], { view, host }: Means): void {
  const failures = down(resources, view, host);
  if (failures.length > 0) throw new Refusal(failures.join('; '));
}

/** Takes everything of an attachment down, then the attachment itself; its traffic is added up. */
export function takeDown(attachment: Attachment, firewall: Firewall, host: Host): void {
  const view = { ...EMPTY_VIEW, filter: filterOf(attachment, firewall, host) };
  const means = { view, dhcp: DEFAULT_CONFIG.dhcp, firewall, host };
  apply([{ before: attachment, after: undefined }], means);
  removeAttachment(attachment);
}

/** What was counted; and of a domain with rules its chains, which must be seen to be removed. The rest goes by name. */
function filterOf({ addresses, policy }: Attachment, firewall: Firewall, host: Host): FilterView {
  const counted = look(host, firewall.counters(addresses.map(({ prefix }) => prefix)));
  if (!isTracked(policy)) return counted;
  const standing = look(host, firewall.looks.brief);
  return { ...standing, sets: new Map([...standing.sets, ...counted.sets]) };
}
