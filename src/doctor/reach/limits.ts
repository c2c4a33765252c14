/** Limits of hnet's that a bridge exceeds: what its domain sends too much of is dropped. */

import { exceededBudgets } from '../../firewall/nftables/budgets.ts';
import { bridgesIn } from '../../firewall/nftables/listing.ts';
import type { Firewall } from '../../firewall/rules/backend.ts';
import { floodsOf } from '../../firewall/rules/floods.ts';
import type { Host } from '../../host/host.ts';
import type { Config } from '../../model/config.ts';
import type { FilterView } from '../../model/view.ts';

/** Bridge → why packets of it were dropped lately, and of no other bridge. */
export function exceeded(
  bridges: readonly string[],
  { config, firewall }: { readonly config: Config; readonly firewall: Firewall },
  filter: FilterView,
  host: Host,
): ReadonlyMap<string, readonly string[]> {
  const budgets = exceededBudgets(config).map(({ argv, cause }) => ({
    cause,
    over: bridgesIn(host.output(argv)),
  }));
  return new Map(
    bridges.map(bridge => [
      bridge,
      [
        ...floodsOf(bridge, firewall, filter),
        ...budgets.filter(({ over }) => over.includes(bridge)).map(({ cause }) => cause),
      ],
    ]),
  );
}
