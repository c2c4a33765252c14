/** A domain that runs on another host is about to come to this one. */

import { around } from '../cluster/around.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { refuseUnjoined } from '../cluster/joined.ts';
import { expectRun } from '../cluster/runs.ts';
import type { Host } from '../host/host.ts';
import { withLock } from '../host/lock.ts';
import type { Assignment } from '../model/assignment.ts';
import type { Config } from '../model/config.ts';
import type { Domain } from '../model/domain.ts';
import { refuseForeign } from '../plan/walker.ts';
import { refuseClaimed } from '../state/attachment-store.ts';
import { markIncoming } from '../state/incoming-marker.ts';
import { toAttachment } from './admission.ts';
import { refuseUnfit } from './admit.ts';
import { wrongOf } from './apply.ts';
import { firewallInForce, wiresOf } from './in-force.ts';
import { refuseHostPorts } from './ports.ts';
import { lookAhead } from './start.ts';

/**
 * Runs a start's checks before libvirt begins, and leaves a marker so that the next `prepare` is known as an arrival.
 * @throws Refusal, with nothing changed
 */
export function expect(
  domain: Domain,
  assignment: Assignment,
  cluster: Cluster,
  config: Config,
  host: Host,
): void {
  refuseHostPorts(domain, host);
  withLock('sync', 'shared', host, () => {
    const firewall = firewallInForce(config);
    const after = toAttachment(domain, assignment, firewall.name, wiresOf(config, host));
    const seen = lookAhead(after, firewall, config, host);
    refuseClaimed(after);
    refuseUnfit(after, seen, config);
    const means = { view: seen.view, dhcp: config.dhcp, firewall, ...around(config, seen.uplinks) };
    refuseForeign(wrongOf({ before: undefined, after }, means));
  });
  refuseUnjoined(cluster.settings);
  expectRun(cluster, { ...domain, addresses: assignment.addresses });
  markIncoming(domain.uuid);
}
