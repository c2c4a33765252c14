/**
 * Turns what domains have into what they should have. A start has nothing before, a stop nothing after, a repair the same
 * before and after; a live change has two attachments of one domain, and a move is two changes at once.
 */
import type { Firewall } from '../firewall/rules/backend.ts';
import { countedOf } from '../firewall/rules/counted.ts';
import { ruleEntries } from '../firewall/rules/guarded.ts';
import { dropFlows, endsOfFlow, flowsOf, forgetCalls, forgetFlows } from '../host/flows.ts';
import type { Host } from '../host/host.ts';
import { look } from '../host/observe/parts.ts';
import { formatLong } from '../model/address.ts';
import { type Attachment, lostAddresses, prefixesOf } from '../model/attachment.ts';
import { type Address, publicOf } from '../model/bridge.ts';
import type { DhcpConfig } from '../model/config.ts';
import { familyOf } from '../model/forward.ts';
import { isSameForward, targetOf } from '../model/forward-words.ts';
import { isHere } from '../model/move.ts';
import { USUAL_MTU } from '../model/mtu.ts';
import { DEFAULT_CONFIG } from '../model/parse-config.ts';
import { isTracked } from '../model/policy.ts';
import { contains, isAmong, type Prefix } from '../model/prefix.ts';
import { Refusal } from '../model/refusal.ts';
import { EMPTY_VIEW, type FilterView, type View } from '../model/view.ts';
import type { Change } from '../plan/change.ts';
import { domainPlan } from '../plan/plan.ts';
import { type Checked, check, down, mend, repair, up } from '../plan/walker.ts';
import { batches } from '../resources/action.ts';
import type { Resource } from '../resources/resource.ts';
import { isWrong } from '../resources/resource.ts';
import { hostRoute } from '../resources/route.ts';
import { removeAttachment } from '../state/attachment-store.ts';
import { isClustered } from '../state/clustered.ts';
import { addUp, beginAt, noteOwner, noteStart, readAccount } from '../state/ledger.ts';
import { readAttachments } from '../state/records.ts';

/**
 * What happens after a failure. `undo`: take down again what this call brought up. `go on`: half of a running domain's
 * network is better than none. `stop`: the caller tries the domains one by one.
 */
type OnFailure = 'undo' | 'go on' | 'stop';

export interface Means {
  /** The state of the host, or enough of it to tell what is missing. */
  readonly view: View;
  readonly dhcp: DhcpConfig;
  /** The host's IPv4 address; undefined where nothing is to be set up. */
  readonly gateway: Prefix | undefined;
  /** Those of the other hosts of a cluster; undefined where the host is alone. */
  readonly peers: readonly Prefix[] | undefined;
  /** The MTU of a bridge with some addresses, in bytes. */
  readonly mtuFor: (prefixes: readonly Prefix[]) => number;
  /** All domains that run have one filter. */
  readonly firewall: Firewall;
  readonly host: Host;
}

/** A change, and what happens to the domain's addresses. */
interface Step extends Change {
  readonly plan: readonly Resource[];
  /** New to this domain; `takenOver` are those of them that another domain gives up in the same call. */
  readonly gained: readonly Address[];
  readonly takenOver: readonly Prefix[];
  /** No longer this domain's: `given` to another domain in the same call, or `lost`. */
  readonly given: readonly Prefix[];
  readonly lost: readonly Prefix[];
}

/**
 * Brings up what is missing, then takes down what is no longer wanted. It doesn't touch what is wanted before and after,
 * so other addresses lose no packet. An address becomes unreachable before its rules are removed.
 * @returns the resources that were brought up
 * @throws Refusal with what failed
 */
export function apply(changes: readonly Change[], means: Means, onFailure: OnFailure = 'undo'): Checked[] {
  const moved = handedOver(changes);
  const steps = changes.map(change => toStep(change, moved, means));
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

/** The resources that a domain should have after the change. */
function planAfter(
  { before, after, taps, besides = [] }: Change,
  {
    dhcp,
    firewall,
    gateway,
    peers,
    mtuFor,
  }: Pick<Means, 'dhcp' | 'firewall' | 'gateway' | 'peers' | 'mtuFor'>,
): Resource[] {
  if (after === undefined) return [];
  const underway = before !== undefined && !isTracked(before.policy);
  const more = { underway, mtuFor, peers, ...(taps && { taps }), ...(gateway && { gateway }) };
  return [...besides, ...domainPlan({ ...after, ...more }, dhcp, firewall)];
}

/** Those of them that aren't as they should be. */
export const wrongOf = (change: Change, means: Omit<Means, 'host'>): Checked[] =>
  check(planAfter(change, means), means.view).filter(isWrong);

/** Of what a domain has before and after a change, what isn't as it should be: the change repairs it by the way. */
export function driftOf(change: Change, means: Omit<Means, 'host'>): Checked[] {
  const kept = new Set(planAfter(change, means).map(({ key }) => key));
  const wrong = wrongOf({ ...change, after: change.before }, means);
  return wrong.filter(({ resource }) => kept.has(resource.key));
}

/** A new set entry counts from zero; an entry that exists already goes on counting. */
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
 * Records the new owner of an address. Tracked flows of the last owner would bypass the new owner's rules ("a potential
 * security hole", as Calico's Felix found), so they are deleted.
 */
export function changeOwner({ prefix, scope }: Address, domain: string, host: Host): void {
  const before = readAccount(prefix);
  if (before?.domain === domain) return;
  noteOwner(prefix, domain);
  if (before !== undefined) for (const range of [prefix, scope]) forgetFlows(range, host);
}

/**
 * Removes the routes of addresses whose rules are about to be removed: those that a running domain loses, and those that
 * a domain with rules gives away. The latter leave the giver's rules here as well. They are unreachable until the taker
 * has them, so nothing in between looks at the host.
 * @returns the view as it is now
 */
function putOutOfReach({ before, after, given, lost }: Step, means: Means): View {
  if (before === undefined) return means.view;
  const guarded = isTracked(before.policy) || before.policy.isolate ? given : [];
  // A stop removes routes before rules anyway: that is the reverse order of its plan.
  const leaving = after === undefined ? guarded : [...guarded, ...lost];
  const routes = before.addresses.filter(({ prefix }) => isAmong(leaving, prefix));
  takeDownAll(
    routes.map(one => hostRoute(one, before.state)),
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

/** What has left was counted then (moves/count.ts); its counters go with it all the same. */
const countLast = (prefix: Prefix, { domain, state }: Attachment, filter: FilterView): void =>
  state === 'leaving' ? noteStart(prefix, domain) : addUp(prefix, domain, filter, true);

/** Takes down what only the old plan has, adds up the traffic, and deletes the flows of a domain that goes on running. */
function takeDownRest(step: Step, kept: ReadonlySet<string>, means: Means): void {
  const { before, after, given, lost } = step;
  if (before === undefined) return;
  const { gateway, peers } = means;
  const old = { ...before, takenOver: given, peers, ...(gateway && { gateway }) };
  const plan = domainPlan(old, means.dhcp, means.firewall);
  takeDownAll(
    plan.filter(({ key }) => !kept.has(key)),
    means,
  );
  for (const prefix of lost) countLast(prefix, before, means.view.filter);
  if (after === undefined) return;
  const ranges = ({ addresses }: Attachment) => addresses.flatMap(({ prefix, scope }) => [prefix, scope]);
  const left = ranges(before).filter(one => !isAmong(ranges(after), one) && !isAmong(given, one));
  leaveRules(left, means);
  for (const prefix of lost) forgetFlows(prefix, means.host);
  for (const forward of before.forwards ?? []) {
    const target = targetOf(before.addresses, familyOf(forward));
    const isKept = after.forwards?.some(one => isSameForward(one, forward));
    if (target !== undefined && !isKept) forgetCalls(forward, target, means.host);
  }
}

function takeDownAll(resources: readonly Resource[], { view, host }: Means): void {
  const failures = down(resources, view, host);
  if (failures.length > 0) throw new Refusal(failures.join('; '));
}

/** Takes everything of an attachment down, then the attachment itself; its traffic is added up. */
export function takeDown(attachment: Attachment, firewall: Firewall, host: Host): void {
  const view = { ...EMPTY_VIEW, filter: filterOf(attachment, firewall, host) };
  const means = {
    view,
    dhcp: DEFAULT_CONFIG.dhcp,
    firewall,
    host,
    gateway: undefined,
    peers: undefined,
    mtuFor: () => USUAL_MTU,
  };
  apply([{ before: attachment, after: undefined }], means);
  removeAttachment(attachment);
  if (isTracked(attachment.policy) && isClustered()) forgetDeparted(attachment, host);
}

/**
 * It may have moved to another host, and come back: what is known here of its flows would be out of date by then, and their
 * packets dropped as invalid. With domains that are here and have rules every packet is still tracked.
 */
function forgetDeparted({ addresses }: Attachment, host: Host): void {
  const here = readAttachments()
    .filter(({ state, policy }) => isHere(state) && isTracked(policy))
    .flatMap(prefixesOf);
  const isKept = (flow: string): boolean =>
    endsOfFlow(flow).some(end => here.some(one => contains(one, end)));
  dropFlows(
    flowsOf(publicOf(addresses), host).filter(flow => !isKept(flow)),
    host,
  );
}

/** The counters, and a domain's chains, which can only be removed when they are known. All else is removed by name. */
function filterOf(
  { addresses, policy, forwards = [] }: Attachment,
  firewall: Firewall,
  host: Host,
): FilterView {
  const counted = look(host, firewall.counters(addresses.map(({ prefix }) => prefix)));
  if (!isTracked(policy) && forwards.length === 0) return counted;
  const standing = look(host, firewall.looks.brief);
  return { ...standing, sets: new Map([...standing.sets, ...counted.sets]) };
}
