import { carryOut, changing, foresee } from '../../assign/change.ts';
import { decide } from '../../assign/decision.ts';
import type { Firewall } from '../../firewall/rules/backend.ts';
import { countedRules } from '../../firewall/rules/counters.ts';
import { policyChains } from '../../firewall/rules/policy-chains.ts';
import { isDoubtful, whyNever } from '../../firewall/rules/unmatched.ts';
import { chooseFirewall, firewallFor } from '../../host/choose-backend.ts';
import type { Context } from '../../host/context.ts';
import { look } from '../../host/observe/parts.ts';
import { observeWithUplinks } from '../../host/observe/view.ts';
import { pick, withLibvirt } from '../../libvirt/libvirt.ts';
import { type Counter, plus, ZERO } from '../../model/counter.ts';
import { addressesOf, amended, type Domain, policyOf } from '../../model/domain.ts';
import { applies, type Policy, type PolicyRule } from '../../model/policy.ts';
import type { Family } from '../../model/prefix.ts';
import { asUsage, ifPossible, quote, Refusal, UsageRefusal } from '../../model/refusal.ts';
import { formatRule, parseRule } from '../../model/rule.ts';
import type { FilterView } from '../../model/view.ts';
import { readableAttachment } from '../../state/attachment-store.ts';
import { answerOutcome, type DryRun } from '../changes.ts';
import { table } from '../table.ts';

/**
 * Shows or changes a domain's rules: `default allow|deny`, `isolate on|off`, `delete N`, or a rule to append.
 * If the domain runs, a change is in force at once; otherwise from its next start.
 */
export function firewall(name: string, words: readonly string[], options: DryRun, context: Context): void {
  const isChange = words.length > 0;
  if (options.dryRun && !isChange)
    throw new UsageRefusal('Cannot use --dry-run without a change: say which, such as "default deny"');
  if (isChange) rewrite(name, words, options, context);
  if (options.dryRun) return;
  const { domain } = withLibvirt(libvirt => pick(libvirt.domains(), name));
  const policy = policyOf(domain);
  const rules = withCounters(domain.uuid, policy, context);
  if (!isChange) answer(domain, policy, rules, context);
  show(policy, rules, context);
  warnOfUnmatched(policy, context);
}

/** A rule for a network that isn't there is a mistake, or waits for its interface. */
function warnOfUnmatched({ rules }: Policy, context: Context): void {
  if (!rules.some(isDoubtful)) return;
  const config = context.config();
  const seen = ifPossible(() => observeWithUplinks(context.host, chooseFirewall(config), config));
  if (seen === undefined) return;
  for (const [index, rule] of rules.entries()) {
    const why = isDoubtful(rule) ? whyNever(rule, config, seen.uplinks, seen.view) : undefined;
    if (why !== undefined) context.warn(`rule ${index + 1} matches nothing: ${why}`);
  }
}

function rewrite(name: string, words: readonly string[], options: DryRun, context: Context): void {
  changing(context, libvirt => {
    const known = pick(libvirt.domains(), name);
    if (addressesOf(known.next).length === 0)
      throw new Refusal(`Cannot give rules to ${quote(name)}: it has no address; hnet assign gives it one`);
    const policy = edit(policyOf(known.next), words);
    const decision = decide(known, amended(known.next, { policy }));
    answerOutcome((options.dryRun ? foresee : carryOut)(libvirt, decision, context), options, context);
  });
}

function edit(policy: Policy, words: readonly string[]): Policy {
  const [verb, ...rest] = words;
  const given = rest.join(' ');
  if (verb === 'default') return { ...policy, inbound: choice(verb, given, ['allow', 'deny']) };
  if (verb === 'isolate') return { ...policy, isolate: choice(verb, given, ['on', 'off']) === 'on' };
  if (verb === 'delete') return { ...policy, rules: without(policy.rules, given) };
  return { ...policy, rules: [...policy.rules, asUsage(() => parseRule(words.join(' ')))] };
}

function choice<T extends string>(verb: string, given: string, values: readonly T[]): T {
  const found = values.find(one => one === given);
  if (found !== undefined) return found;
  throw new UsageRefusal(`Cannot set ${verb} to ${quote(given)}: it is ${values.join(' or ')}`);
}

function without(rules: readonly PolicyRule[], given: string): PolicyRule[] {
  const index = /^[1-9]\d*$/.test(given) ? Number(given) - 1 : -1;
  if (rules[index] !== undefined) return rules.toSpliced(index, 1);
  throw new UsageRefusal(`Cannot delete rule ${quote(given)}: there are ${rules.length} rules`);
}

interface Row {
  readonly number: number | null;
  readonly rule: string;
  readonly packets: bigint;
  readonly bytes: bigint;
}

function answer(
  { name: domain, uuid }: Domain,
  { inbound, isolate }: Policy,
  rules: readonly Row[],
  context: Context,
): void {
  context.answer({ domain, uuid, default: inbound, isolate, rules });
}

function show({ isolate }: Policy, rules: readonly Row[], { print, colour }: Context): void {
  const cells = rules.map(({ number, rule, packets, bytes }) => [number ?? '', rule, packets, bytes]);
  for (const line of table(['#', 'RULE', 'PACKETS', 'BYTES'], cells, colour)) print(line);
  if (isolate) print('isolated: no traffic with other domains of this host');
}

/** The rules in their order, then the default for inbound flows that no rule matches. */
function withCounters(uuid: string, policy: Policy, context: Context): Row[] {
  const attachment = readableAttachment(uuid);
  const backend = attachment === undefined ? chooseFirewall(context.config()) : firewallFor(attachment);
  const filter = look(context.host, backend.looks.brief);
  const counted = backend.families.map(family => ruleCounters(uuid, policy, family, backend, filter));
  const sum = (index: number): Counter =>
    counted.reduce((total, counters) => plus(total, counters[index] ?? ZERO), ZERO);
  const rows = policy.rules.map(
    (rule, index): Row => ({ number: index + 1, rule: formatRule(rule), ...sum(index) }),
  );
  return [...rows, { number: null, rule: `default ${policy.inbound}`, ...sum(policy.rules.length) }];
}

/** Counters of each rule in one family, and of the default at the end; zero for a rule that isn't about that family. */
function ruleCounters(
  uuid: string,
  policy: Policy,
  family: Family,
  backend: Firewall,
  filter: FilterView,
): Counter[] {
  const [inbound = [], outbound = []] = policyChains(uuid, policy, family).map(chain =>
    countedRules('mangle', chain, family, backend, filter).map(({ counter }) => counter),
  );
  const left = { inbound, outbound };
  const take = (direction: PolicyRule['direction']): Counter => left[direction].shift() ?? ZERO;
  return [...policy.rules.map(one => (applies(one, family) ? take(one.direction) : ZERO)), take('inbound')];
}
