/** A domain's rules, and what each has matched. */
import type { Firewall } from '../../firewall/rules/backend.ts';
import { countedRules } from '../../firewall/rules/counters.ts';
import { policyChains } from '../../firewall/rules/policy-chains.ts';
import { type Counter, plus, ZERO } from '../../model/counter.ts';
import { applies, type Policy, type PolicyRule } from '../../model/policy.ts';
import type { Family } from '../../model/prefix.ts';
import { formatRule } from '../../model/rule.ts';
import type { FilterView } from '../../model/view.ts';

/** What a rule has matched; null where somebody has changed its chain, so that nobody knows. */
type Matched = Counter | { readonly packets: null; readonly bytes: null };
const UNKNOWN = { packets: null, bytes: null } as const;

export type CountedRule = Matched & {
  /** From 1; null for the default. */
  readonly number: number | null;
  readonly rule: string;
};

/** The rules in their order, then the default for inbound flows that no rule matches. */
export function countedPolicy(
  uuid: string,
  policy: Policy,
  backend: Firewall,
  filter: FilterView,
): CountedRule[] {
  const counted = backend.families.map(family => ruleCounters(uuid, policy, family, backend, filter));
  const sum = (index: number): Matched => {
    const all = counted.map(counters => counters[index]);
    const known = all.filter(one => one !== undefined);
    return known.length < all.length ? UNKNOWN : known.reduce(plus, ZERO);
  };
  const rows = policy.rules.map(
    (rule, index): CountedRule => ({ number: index + 1, rule: formatRule(rule), ...sum(index) }),
  );
  return [...rows, { number: null, rule: `default ${policy.inbound}`, ...sum(policy.rules.length) }];
}

/**
 * Counters of each rule in one family, and of the default at the end; zero for a rule that isn't about that family,
 * undefined where nobody knows.
 */
function ruleCounters(
  uuid: string,
  policy: Policy,
  family: Family,
  backend: Firewall,
  filter: FilterView,
): (Counter | undefined)[] {
  const [inbound, outbound] = policyChains(uuid, policy, family).map(chain =>
    countedRules('mangle', chain, family, backend, filter)?.map(({ counter }) => counter),
  );
  const left = { inbound, outbound };
  const take = (direction: PolicyRule['direction']): Counter | undefined => {
    const counters = left[direction];
    return counters && (counters.shift() ?? ZERO);
  };
  return [...policy.rules.map(one => (applies(one, family) ? take(one.direction) : ZERO)), take('inbound')];
}
