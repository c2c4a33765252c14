import { around } from '../../cluster/around.ts';
import type { Context } from '../../host/context.ts';
import { observeUplinks } from '../../host/observe/uplink.ts';
import { observe } from '../../host/observe/view.ts';
import { pick, withLibvirt } from '../../libvirt/libvirt.ts';
import { requireAssignment, toAttachment } from '../../lifecycle/admission.ts';
import { firewallInForce } from '../../lifecycle/in-force.ts';
import { wireFor } from '../../model/uplink.ts';
import { EMPTY_VIEW, type View } from '../../model/view.ts';
import { basePlan, domainPlan } from '../../plan/plan.ts';
import { check } from '../../plan/walker.ts';
import { describe } from '../../resources/action.ts';
import { isWrong, type Resource } from '../../resources/resource.ts';

/** Prints what a start of the domain would run: what is missing of the base, then all of its own. */
export function plan(name: string, context: Context): void {
  const config = context.config();
  const { next } = withLibvirt(libvirt => pick(libvirt.domains(), name));
  const assignment = requireAssignment(next, 'plan a start of');
  const firewall = firewallInForce(config);
  const view = observe(context.host, firewall);
  const uplinks = observeUplinks(context.host, config);
  const base = basePlan(config, uplinks, firewall);
  const attachment = toAttachment(next, assignment, firewall.name, one => wireFor(one, uplinks));
  const { gateway, peers, mtuFor } = around(config, uplinks);
  const wanted = { ...attachment, ...(gateway && { gateway }), peers, mtuFor };
  const missing = check(base, view)
    .filter(isWrong)
    .map(({ resource }) => resource);
  const fresh = { ...EMPTY_VIEW, sysctl: view.sysctl };
  const own = domainPlan(wanted, config.dhcp, firewall);
  context.answer({
    domain: next.name,
    uuid: next.uuid,
    resources: [...describeAll(missing, view), ...describeAll(own, fresh)],
  });
  printResources(missing, view, context);
  printResources(own, fresh, context);
}

/** Comment and commands of each resource, as one could paste them into a shell. */
export function printResources(
  resources: readonly Resource[],
  view: View,
  { print }: Pick<Context, 'print'>,
): void {
  for (const { what, commands } of describeAll(resources, view)) {
    print(`# ${what}`);
    for (const command of commands) print(command);
  }
}

const describeAll = (resources: readonly Resource[], view: View) =>
  resources.map(resource => ({ what: resource.label, commands: resource.up(view).map(describe) }));
