/**
 * Brings up thousands of domains' resources at once: hnet's own plans, but all bridges in one batch, then all
 * addresses, and so on. Runs inside a machine of the lab:
 *
 *   node --import tsx test/bench/crowd.ts FIRST COUNT [--dhcp]
 */
import { batches } from '../../src/action.ts';
import { bringUpBase } from '../../src/attach.ts';
import { writeAttachment } from '../../src/attachments.ts';
import { loadConfig } from '../../src/config-file.ts';
import { Host } from '../../src/host.ts';
import { observe, observeUplink } from '../../src/observe.ts';
import { domainPlan } from '../../src/plan.ts';
import type { Resource } from '../../src/resources/resource.ts';
import { iptables } from '../../src/resources/iptables.ts';
import { EMPTY_VIEW } from '../../src/view.ts';
import { member } from './members.ts';

/** As many as fit into the time limit of one batch. */
const AT_ONCE = 200;

function bringUp(first: number, count: number, dhcp: boolean): void {
  const host = new Host();
  const config = loadConfig();
  const plans: Resource[][] = [];
  for (let number = first; number < first + count; number++) {
    const { domain, name, address } = member(number);
    const attachment = { domain, name, addresses: [address] };
    writeAttachment(attachment);
    plans.push(domainPlan(attachment, config.dhcp, iptables));
  }
  for (const resources of transpose(plans)) {
    if (!dhcp && resources.every(({ label }) => label.startsWith('DHCP'))) continue;
    const actions = resources.flatMap(resource => resource.up(EMPTY_VIEW));
    for (const batch of batches(actions)) host.perform(batch, false);
  }
}

/** The first resource of every plan, then the second of every plan: neighbours of one kind make one batch. */
function transpose(plans: readonly Resource[][]): Resource[][] {
  const [longest = []] = plans.toSorted((a, b) => b.length - a.length);
  return longest.map((_, place) => plans.flatMap(plan => plan[place] ?? []));
}

const [first = 0, count = 0] = process.argv.slice(2, 4).map(Number);
const host = new Host();
const config = loadConfig();
bringUpBase(config, observeUplink(host, config), observe(host), host);
for (let done = 0; done < count; done += AT_ONCE) {
  bringUp(first + done, Math.min(AT_ONCE, count - done), process.argv.includes('--dhcp'));
}
