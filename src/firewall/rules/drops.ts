/** What the filter dropped, by cause. */
import type { Attachment } from '../../model/attachment.ts';
import type { Config } from '../../model/config.ts';
import { type Counter, plus, ZERO } from '../../model/counter.ts';
import { isTracked } from '../../model/policy.ts';
import type { Family } from '../../model/prefix.ts';
import type { Uplinks } from '../../model/uplink.ts';
import type { FilterView } from '../../model/view.ts';
import { dropsOfBudgets } from '../nftables/budgets.ts';
import type { Firewall } from './backend.ts';
import { dropsByCause, isUnclear } from './counters.ts';
import { policyChains } from './policy-chains.ts';
import type { Chain } from './rules.ts';
import { ruleset } from './ruleset.ts';

export type Drops = ReadonlyMap<string, Counter>;

/** Drops of both families together by the rules that all domains share, by cause. */
export const sharedDrops = (
  config: Config,
  uplinks: Uplinks,
  firewall: Firewall,
  filter: FilterView,
): Drops =>
  addUp([
    ...firewall.families.map(family =>
      dropsByCause(sharedChains(family, config, uplinks, firewall), family, firewall, filter),
    ),
    dropsOfBudgets(config, filter),
  ]);

function sharedChains(family: Family, config: Config, uplinks: Uplinks, firewall: Firewall) {
  const { raw, mangle } = ruleset(family, config, uplinks, firewall.foresight).chains;
  return [...tagged('raw', raw), ...tagged('mangle', mangle)];
}

/** Those by the rules of a domain's own. */
export const ownDrops = (
  { domain, policy }: Pick<Attachment, 'domain' | 'policy'>,
  firewall: Firewall,
  filter: FilterView,
): Drops =>
  addUp(
    firewall.families.map(family =>
      dropsByCause(ownChains({ domain, policy }, family), family, firewall, filter),
    ),
  );

const ownChains = ({ domain, policy }: Pick<Attachment, 'domain' | 'policy'>, family: Family) =>
  tagged('mangle', isTracked(policy) ? policyChains(domain, policy, family) : []);

/** The chains whose counters are in no drops, because they have other rules than they should have. */
export const unclearChains = (
  attachments: readonly Attachment[],
  config: Config,
  uplinks: Uplinks,
  firewall: Firewall,
  filter: FilterView,
): string[] =>
  firewall.families.flatMap(family =>
    [
      ...sharedChains(family, config, uplinks, firewall),
      ...attachments.flatMap(one => ownChains(one, family)),
    ].flatMap(([table, chain]) => (isUnclear(table, chain, family, firewall, filter) ? [chain.name] : [])),
  );

const tagged = (table: 'raw' | 'mangle', chains: readonly Chain[]) =>
  chains.map(chain => [table, chain] as const);

/** Several together. */
export function addUp(all: readonly Drops[]): Drops {
  const sum = new Map<string, Counter>();
  for (const [cause, counter] of all.flatMap(one => [...one]))
    sum.set(cause, plus(sum.get(cause) ?? ZERO, counter));
  return sum;
}
