import { bringUpBase, firewallInForce } from '../attach.ts';
import { FIREWALLS } from '../backend.ts';
import { down } from '../converge.ts';
import { withLock } from '../lock.ts';
import { observe, observeUplink } from '../observe.ts';
import { basePlan } from '../plan.ts';
import { Refusal } from '../refusal.ts';
import type { Context } from './context.ts';

/** Brings up what stands whether a domain runs or not: forwarding, sets, chains, blackholes. Run at boot. */
export function baseUp(context: Context): void {
  const config = context.config();
  withLock('claims', 'exclusive', context.host, () => {
    const firewall = firewallInForce(config);
    const uplink = observeUplink(context.host, config);
    const done = bringUpBase(config, uplink, firewall, observe(context.host, firewall), context.host);
    for (const { resource } of done) context.print(`brought up: ${resource.label}`);
  });
}

/** Removes all of it; for uninstalling. @throws Refusal with what couldn't be removed */
export function baseDown(context: Context): void {
  const config = context.config();
  withLock('sync', 'exclusive', context.host, () => {
    const uplink = observeUplink(context.host, config);
    const failures = Object.values(FIREWALLS).flatMap(firewall => {
      const view = observe(context.host, firewall);
      return view.filter.sets.size > 0 ? down(basePlan(config, uplink, firewall), view, context.host) : [];
    });
    if (failures.length > 0) throw new Refusal(failures.join('; '));
  });
}
