/**
 * The one way from what domains have to what they shall have. A start has nothing before, a stop nothing after, a repair
 * the same on both sides; a live change has two attachments of one domain, and a move is two changes at once.
 */
import { countedOf } from '../firewall/rules/counted.ts';
import { ruleEntries } from '../firewall/rules/guarded.ts';
import { firewallFor } from '../host/choose-backend.ts';
import { forgetFlows } from '../host/flows.ts';
import type { Host } from '../host/host.ts';
import { look } from '../host/observe/parts.ts';
import { formatLong } from '../model/address.ts';
import type { Address } from '../model/assignment.ts';
import { type Attachment, lostAddresses } from '../model/attachment.ts';
import type { DhcpConfig } from '../model/config.ts';
import type { Taps } from '../model/domain.ts';
import { DEFAULT_CONFIG } from '../model/parse-config.ts';
import { isAmong, type Prefix } from '../model/prefix.ts';
import { Refusal } from '../model/refusal.ts';
import { isTracked } from '../model/rule.ts';
import { EMPTY_VIEW, type FilterView, type View } from '../model/view.ts';
import { domainPlan } from '../plan/plan.ts';
import { type Checked, down, mend, repair, up } from '../plan/walker.ts';
import { batches } from '../resources/action.ts';
import type { Resource } from '../resources/resource.ts';
import { hostRoute } from '../resources/route.ts';
import { removeAttachment } from '../state/attachment-store.ts';
import { addUp, beginAt, noteOwner, noteStart, readAccount } from '../state/ledger.ts';

/** What one domain has, and what it shall have. */
export interface Change {
  readonly before: Attachment | undefined;
  readonly after: Attachment | undefined;
  /** Its taps, where it runs: a bridge that has to be made anew gets them back. */
  readonly taps?: Taps;
  /** What it shall have besides its plan: a repair also looks after its claims. */
  readonly besides?: readonly Resource[];
}

/**
 * What becomes of a failure. `undo`: what this call has brought up is taken down again. `go on`: half of a running
 * domain's network is better than none. `stop`: the caller tries the domains one by one.
 */
type OnFailure = 'undo' | 'go on' | 'stop';

export interface Means {
  readonly view: View;
  readonly dhcp: DhcpConfig;
  readonly host: Host;
}

/**
 * Brings up what shall be, then takes down what shall no longer be. What is on both sides isn't touched, so the flows of
 * the other addresses lose no packet. An address that leaves is out of reach before its rules go.
 * @param means.view what stands on the host, or enough of it to tell what `after` lacks
 * @returns the resources that were brought up
 * @throws Refusal with what failed
 */
export function apply(changes: readonly Change[], means: Means, onFailure: OnFailure = 'undo'): Checked[] {
  const moved = handedOver(changes);
  for (const change of changes) noteOwners(change, moved, means);
  const now = { ...means, view: putOutOfReach(changes, moved, means) };
  const plans = changes.map(change => planAfter(change, means.dhcp));
  const done = bringUp(plans, now, onFailure);
  for (const prefix of moved) forgetFlows(prefix, means.host);
  const kept = new Set(plans.flat().map(({ key }) => key));
  for (const change of changes) takeDownRest(change, moved, kept, now);
  return done;
}

/** What a domain shall have once the change is made. */
export const planAfter = ({ before, after, taps, besides = [] }: Change, dhcp: DhcpConfig): Resource[] => {
  if (after === undefined) return [];
  const underway = before !== undefined && !isTracked(before.policy);
  const wanted = { ...after, underway, ...(taps === undefined ? {} : { taps }) };
  return [...besides, ...domainPlan(wanted, dhcp, firewallFor(after))];
};

/** Addresses that one domain loses and another gets. */
export const handedOver = (changes: readonly Change[]): Prefix[] =>
  changes
    .flatMap(({ before, after }) => lostAddresses(before, after))
    .filter(prefix => changes.some(({ before, after }) => isAmong(lostAddresses(after, before), prefix)));

/** The kernel's counters begin at zero with an entry, and go on where the entry stands already. */
function noteOwners({ before, after }: Change, moved: readonly Prefix[], { view, host }: Means): void {
  if (after === undefined) return;
  const gained = lostAddresses(after, before);
  for (const address of after.addresses.filter(({ prefix }) => isAmong(gained, prefix))) {
    const { prefix } = address;
    const isCounted = countedOf(prefix, view.filter) !== undefined;
    if (isAmong(moved, prefix)) beginAt(prefix, after.domain, view.filter);
    else changeOwner(address, after.domain, host);
    if (!isCounted) noteStart(prefix, after.domain);
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
  if (before === undefined) return;
  for (const range of [prefix, scope]) forgetFlows(range, host);
}

/**
 * Takes away the routes of addresses whose rules are about to go: of those that a domain loses while it runs on, and of
 * those that go over from a domain with rules, which would otherwise be reached past somebody's rules. The latter leave
 * the giver's rules too. They are unreachable until the taker has them, so nothing is looked at in between.
 * @returns the view as it is now
 */
function putOutOfReach(changes: readonly Change[], moved: readonly Prefix[], { view, host }: Means): View {
  const routes = changes.flatMap(({ before, after }) => {
    if (before === undefined || (after === undefined && moved.length === 0)) return [];
    const leaving = lostAddresses(before, after).filter(
      prefix => !isAmong(moved, prefix) || isGuarded(before),
    );
    return before.addresses.filter(({ prefix }) => isAmong(leaving, prefix));
  });
  succeed(
    down(
      routes.map(({ prefix, bridge }) => hostRoute(prefix, bridge)),
      view,
      host,
    ),
  );
  return changes.reduce(
    (seen, { before, after }) =>
      before !== undefined && isGuarded(before)
        ? leaveRules(
            lostAddresses(before, after).filter(prefix => isAmong(moved, prefix)),
            before,
            { view: seen, host },
          )
        : seen,
    view,
  );
}

const isGuarded = ({ policy }: Attachment): boolean => isTracked(policy) || policy.isolate;

/** Takes prefixes out of a domain's rules, which stay for its others. @returns the view without them */
function leaveRules(
  prefixes: readonly Prefix[],
  attachment: Attachment,
  { view, host }: Pick<Means, 'view' | 'host'>,
): View {
  const firewall = firewallFor(attachment);
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

function bringUp(
  plans: readonly (readonly Resource[])[],
  { view, host }: Means,
  onFailure: OnFailure,
): Checked[] {
  if (onFailure === 'stop') return mend(plans, view, host);
  if (onFailure === 'undo') return up(plans.flat(), view, host);
  const { done, failures } = repair(plans.flat(), view, host);
  succeed(failures);
  return done;
}

/** What the domain had and shall no longer have; its traffic is added up, and its flows are forgotten where it runs on. */
function takeDownRest(
  { before, after }: Change,
  moved: readonly Prefix[],
  kept: ReadonlySet<string>,
  { view, dhcp, host }: Means,
): void {
  if (before === undefined) return;
  const takenOver = lostAddresses(before, after).filter(prefix => isAmong(moved, prefix));
  const plan = domainPlan({ ...before, takenOver }, dhcp, firewallFor(before));
  succeed(
    down(
      plan.filter(({ key }) => !kept.has(key)),
      view,
      host,
    ),
  );
  const lost = lostAddresses(before, after).filter(prefix => !isAmong(moved, prefix));
  for (const prefix of lost) addUp(prefix, before.domain, view.filter, true);
  if (after === undefined) return;
  leaveRules(rangesLeft(before, after, moved), before, { view, host });
  for (const prefix of lost) forgetFlows(prefix, host);
}

/** Addresses and scopes that a domain no longer has, but for those that another has taken over. */
function rangesLeft(before: Attachment, after: Attachment, moved: readonly Prefix[]): Prefix[] {
  const ranges = ({ addresses }: Attachment) => addresses.flatMap(({ prefix, scope }) => [prefix, scope]);
  return ranges(before).filter(one => !isAmong(ranges(after), one) && !isAmong(moved, one));
}

function succeed(failures: readonly string[]): void {
  if (failures.length > 0) throw new Refusal(failures.join('; '));
}

/** Takes everything of an attachment down, then the attachment itself; its traffic is added up. */
export function takeDown(attachment: Attachment, host: Host): void {
  const view = { ...EMPTY_VIEW, filter: filterOf(attachment, host) };
  apply([{ before: attachment, after: undefined }], { view, dhcp: DEFAULT_CONFIG.dhcp, host });
  removeAttachment(attachment);
}

/** What was counted; and of a domain with rules its chains, which must be seen to be removed. The rest goes by name. */
function filterOf(attachment: Attachment, host: Host): FilterView {
  const firewall = firewallFor(attachment);
  const counted = look(host, firewall.counters(attachment.addresses.map(({ prefix }) => prefix)));
  if (!isTracked(attachment.policy)) return counted;
  const standing = look(host, firewall.looks.brief);
  return { ...standing, sets: new Map([...standing.sets, ...counted.sets]) };
}
