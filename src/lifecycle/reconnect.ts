/** A restart of libvirtd: what a running domain should have is put right. */
import { around } from '../cluster/around.ts';
import type { Firewall } from '../firewall/rules/backend.ts';
import { firewallFor } from '../host/choose-backend.ts';
import type { Host } from '../host/host.ts';
import { withLock } from '../host/lock.ts';
import { toRouteAnswers } from '../host/observe/ip.ts';
import { observeRunning, observeStart, type StartView } from '../host/observe/start.ts';
import { observe } from '../host/observe/view.ts';
import { about, allFound } from '../host/query.ts';
import { format } from '../model/address.ts';
import type { Assignment } from '../model/assignment.ts';
import type { Attachment } from '../model/attachment.ts';
import type { Config } from '../model/config.ts';
import { type Domain, tapsOf } from '../model/domain.ts';
import { MOVE_METRIC, PEER_METRIC } from '../model/move.ts';
import { Refusal } from '../model/refusal.ts';
import { basePlan } from '../plan/plan.ts';
import { type Checked, check, repair } from '../plan/walker.ts';
import { isWrong } from '../resources/resource.ts';
import { readableAttachment } from '../state/attachment-store.ts';
import { assignmentOf, toAttachment } from './admission.ts';
import { admit, subjectOf } from './admit.ts';
import { apply } from './apply.ts';
import { firewallInForce, wiresOf } from './in-force.ts';

/**
 * Repairs what a running domain should have, and plugs its taps in again where the bridge was made anew. It looks at what
 * this domain touches: libvirtd reconnects to all domains at once when it restarts.
 * @returns what was repaired
 * @throws Refusal with what couldn't be; the rest is repaired
 */
export function reconnect(domain: Domain, config: Config, host: Host): Checked[] {
  return withLock('sync', 'shared', host, () => {
    const attachment = readableAttachment(domain.uuid) ?? claimAnew(domain, config, host);
    if (attachment === undefined) return [];
    const taps = tapsOf(domain);
    const firewall = firewallFor(attachment, config.pools);
    const seen = observeRunning(
      host,
      firewall,
      config,
      subjectOf(attachment),
      [...taps.values()].flat().map(({ name }) => name),
    );
    const base = repairBase(seen, config, firewall, host);
    const change = { before: attachment, after: attachment, taps };
    const means = {
      view: seen.view,
      dhcp: config.dhcp,
      firewall,
      host,
      ...around(config, seen.uplinks),
    };
    const done = apply([change], means, 'go on');
    if (base.failures.length > 0) throw new Refusal(base.failures.join('; '));
    return [...base.done, ...done];
  });
}

/** A brief look tells whether anything is missing; bringing it up needs a look at everything. */
function repairBase({ uplinks, view }: StartView, config: Config, firewall: Firewall, host: Host) {
  const plan = basePlan(config, uplinks, firewall);
  return check(plan, view).some(isWrong)
    ? repair(plan, observe(host, firewall), host)
    : { done: [], failures: [] };
}

/** The attachment of a running domain that lost it, from its live metadata. */
function claimAnew(domain: Domain, config: Config, host: Host): Attachment | undefined {
  const assignment = assignmentOf(domain);
  if (assignment === undefined || isElsewhere(assignment, host)) return undefined;
  const firewall = firewallInForce(config);
  const attachment = toAttachment(domain, assignment, firewall.name, wiresOf(config, host));
  withLock('claims', 'exclusive', host, () =>
    admit(attachment, observeStart(host, firewall, config, subjectOf(attachment)), config, firewall, host),
  );
  return attachment;
}

/**
 * Whether a domain's routes say that it is, or goes, elsewhere: ours wait, or a peer has one. libvirt can't be asked here, so
 * its record is left to the daemon.
 */
function isElsewhere({ addresses }: Assignment, host: Host): boolean {
  const prefixes = addresses.map(({ prefix }) => format(prefix));
  const { routes } = host.query({ routes: about(prefixes, address => `route show exact ${address}`) });
  const others: readonly number[] = [MOVE_METRIC.incoming, MOVE_METRIC.leaving, PEER_METRIC];
  return toRouteAnswers(allFound(routes)).some(({ metric }) => others.includes(metric ?? 0));
}
