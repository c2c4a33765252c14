import { bringUpBase } from '../attach.ts';
import { down } from '../converge.ts';
import { withLock } from '../lock.ts';
import { observe, observeUplink } from '../observe.ts';
import { basePlan } from '../plan.ts';
import { Refusal } from '../refusal.ts';
import { iptables } from '../resources/iptables.ts';
import type { Context } from './context.ts';

/** Brings up what stands whether a domain runs or not: forwarding, sets, chains, blackholes. Run at boot. */
export function baseUp(context: Context): void {
  const config = context.config();
  withLock('claims', 'exclusive', context.host, () => {
    const done = bringUpBase(
      config,
      observeUplink(context.host, config),
      observe(context.host),
      context.host,
    );
    for (const { resource } of done) context.print(`brought up: ${resource.label}`);
  });
}

/** Removes all of it; for uninstalling. @throws Refusal with what couldn't be removed */
export function baseDown(context: Context): void {
  const config = context.config();
  withLock('sync', 'exclusive', context.host, () => {
    const plan = basePlan(config, observeUplink(context.host, config), iptables);
    const failures = down(plan, observe(context.host), context.host);
    if (failures.length > 0) throw new Refusal(failures.join('; '));
  });
}
