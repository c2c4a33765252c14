import { bringUpBase } from '../attach.ts';
import { type Attachment, attachedDomains, readAttachment, rewriteAttachment } from '../attachments.ts';
import { chooseFirewall, FIREWALLS } from '../backend.ts';
import type { Config } from '../config.ts';
import { type Checked, down, up } from '../converge.ts';
import type { Firewall } from '../firewall/firewall.ts';
import { addUp } from '../ledger.ts';
import { withLock } from '../lock.ts';
import { look, observe, observeUplink } from '../observe.ts';
import { domainPlan } from '../plan.ts';
import { Refusal, reason } from '../refusal.ts';
import type { View } from '../view.ts';
import type { Context } from './context.ts';

/**
 * Brings base and attached domains to what they should be, in the backend that the configuration chooses, and
 * adds up the traffic. On a host in order it changes nothing.
 */
export function sync(context: Context): void {
  const config = context.config();
  const firewall = chooseFirewall(config);
  withLock('sync', 'exclusive', context.host, () => {
    const attachments = attachedDomains().flatMap(uuid => readOrWarn(uuid, context));
    for (const backend of Object.values(FIREWALLS))
      addUpAll(attachments, backend, firewall.name !== backend.name, context);
    const uplink = observeUplink(context.host, config);
    const repaired = bringUpBase(config, uplink, firewall, observe(context.host, firewall), context.host);
    const view = observe(context.host, firewall);
    for (const attachment of attachments)
      repaired.push(...repair(attachment, config, firewall, view, context));
    for (const { resource, finding } of repaired) {
      context.print(`repaired: ${resource.label} (${'why' in finding ? finding.why : 'it was missing'})`);
    }
    removeOther(config, firewall, context);
  });
}

function readOrWarn(uuid: string, context: Context): Attachment[] {
  try {
    const attachment = readAttachment(uuid);
    return attachment === undefined ? [] : [attachment];
  } catch (error) {
    context.warn(reason(error));
    return [];
  }
}

function addUpAll(
  attachments: readonly Attachment[],
  firewall: Firewall,
  over: boolean,
  { host }: Context,
): void {
  const own = attachments.filter(({ backend }) => backend === firewall.name);
  if (own.length === 0) return;
  const filter = look(host, firewall.looks.counters);
  for (const { domain, addresses } of own)
    for (const { prefix } of addresses) addUp(prefix, domain, filter, over);
}

function repair(
  attachment: Attachment,
  config: Config,
  firewall: Firewall,
  view: View,
  { host }: Context,
): Checked[] {
  const done = up(domainPlan(attachment, config.dhcp, firewall), view, host);
  if (attachment.backend !== firewall.name) rewriteAttachment({ ...attachment, backend: firewall.name });
  return done;
}

/** What a change of backend leaves behind goes last: until then both filters stand, and agree. */
function removeOther(config: Config, firewall: Firewall, { host, print }: Context): void {
  for (const other of Object.values(FIREWALLS).filter(({ name }) => name !== firewall.name)) {
    const view = observe(host, other);
    if (view.filter.sets.size === 0) continue;
    const failures = down(other.base(config, observeUplink(host, config)), view, host);
    if (failures.length > 0) throw new Refusal(failures.join('; '));
    print(`removed: the filter in ${other.name}`);
  }
}
