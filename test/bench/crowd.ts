/**
 * Brings up thousands of domains' resources at once: hnet's own plans, but all bridges in one batch, then all
 * addresses, and so on. Runs inside a machine of the lab:
 *
 *   node --import tsx test/bench/crowd.ts COUNT          all but their DHCP servers
 *   node --import tsx test/bench/crowd.ts COUNT --dhcp   those, afterwards
 */

import type { Firewall } from '../../src/firewall/rules/backend.ts';
import { chooseFirewall } from '../../src/host/choose-backend.ts';
import { Host } from '../../src/host/host.ts';
import { observeUplinks } from '../../src/host/observe/uplink.ts';
import { observe } from '../../src/host/observe/view.ts';
import { bringUpBase } from '../../src/lifecycle/admit.ts';
import type { Config } from '../../src/model/config.ts';
import { OPEN } from '../../src/model/policy.ts';
import { EMPTY_VIEW } from '../../src/model/view.ts';
import { domainPlan } from '../../src/plan/plan.ts';
import { batches } from '../../src/resources/action.ts';
import type { Resource } from '../../src/resources/resource.ts';
import { writeAttachment } from '../../src/state/attachment-store.ts';
import { loadConfig } from '../../src/state/config-file.ts';
import { member } from './members.ts';

/** As many as fit into the time limit of one batch. */
const AT_ONCE = 200;

/** The plans of some members, with or without what is their DHCP servers'. */
function plansOf(first: number, count: number, config: Config, dhcp: boolean): Resource[][] {
  return Array.from({ length: count }, (_, index) => {
    const { domain, name, address } = member(first + index);
    const plan = domainPlan(
      { domain, name, addresses: [address], policy: OPEN },
      config.dhcp,
      chooseFirewall(config),
    );
    return plan.filter(({ label }) => label.startsWith('DHCP') === dhcp);
  });
}

/** The first resource of every plan, then the second of every plan: neighbours of one kind make one batch. */
function transpose(plans: readonly Resource[][]): Resource[] {
  const [longest = []] = plans;
  return longest.flatMap((_, place) => plans.flatMap(plan => plan[place] ?? []));
}

function bringUp(first: number, count: number, config: Config, dhcp: boolean): void {
  const host = new Host();
  const actions = transpose(plansOf(first, count, config, dhcp))
    .filter(resource => resource.probe(EMPTY_VIEW).is !== 'present')
    .flatMap(resource => resource.up(EMPTY_VIEW));
  for (const batch of batches(actions)) host.perform(batch, false);
  host.awaitServers();
}

function attach(count: number, backend: Firewall['name']): void {
  for (let number = 0; number < count; number++) {
    const { domain, name, address } = member(number);
    writeAttachment({ domain, name, addresses: [address], policy: OPEN, backend });
  }
}

const [count = 0] = process.argv.slice(2, 3).map(Number);
const dhcp = process.argv.includes('--dhcp');
const host = new Host();
const config = loadConfig();
if (!dhcp) {
  const firewall = chooseFirewall(config);
  bringUpBase(config, observeUplinks(host, config), firewall, observe(host, firewall), host);
  attach(count, firewall.name);
}
for (let done = 0; done < count; done += AT_ONCE)
  bringUp(done, Math.min(AT_ONCE, count - done), config, dhcp);
