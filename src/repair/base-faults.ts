/** Which domains suffer from a fault of the base. */
import type { Address } from '../model/bridge.ts';
import type { Unserved } from '../model/unserved.ts';
import { type Uplinks, uplinksOf } from '../model/uplink.ts';
import type { View } from '../model/view.ts';
import type { Checked } from '../plan/walker.ts';
import type { Affected } from '../resources/resource.ts';

interface Sight {
  readonly uplinks: Uplinks;
  readonly view: View;
}

/** A part of the base without which packets of domains are taken or changed. */
export interface BaseFault extends Checked {
  readonly hits: (address: Pick<Address, 'prefix' | 'wire'>) => boolean;
}

/** What is only misplaced does its work as it is. */
export const baseFaults = (base: readonly Checked[], { uplinks, view }: Sight): BaseFault[] =>
  base.flatMap(checked => {
    const affected = 'mayWait' in checked.finding ? undefined : checked.resource.affects?.(view);
    return affected === undefined ? [] : [{ ...checked, hits: isHitBy(affected, uplinks) }];
  });

/** A device that is no uplink, as the wire of a cluster, may carry packets of every domain. */
const isHitBy =
  ({ families, device, wire }: Affected, uplinks: Uplinks): BaseFault['hits'] =>
  address =>
    families.includes(address.prefix.family) &&
    (wire === undefined || wire === address.wire) &&
    (device === undefined ||
      uplinks.every(one => one.device !== device) ||
      uplinksOf(address.prefix, uplinks).some(one => one.device === device));

/**
 * Those of the addresses that the kernel wouldn't serve for which a part of the base isn't the cause: where one is missing
 * that decides about an address' way, the kernel's word tells nothing new.
 */
export function besideBase(base: readonly Checked[], sight: Sight, all: readonly Unserved[]): Unserved[] {
  const causes = baseFaults(base, sight).filter(({ resource }) => resource.isRouting);
  return all.filter(({ address: prefix }) => !causes.some(({ hits }) => hits({ prefix })));
}
