import { changing, enact } from '../../assign/change.ts';
import { decide } from '../../assign/decision.ts';
import { isDoubtful, whyNever } from '../../firewall/rules/unmatched.ts';
import { chooseFirewall, firewallFor } from '../../host/choose-backend.ts';
import type { Context } from '../../host/context.ts';
import { look } from '../../host/observe/parts.ts';
import { observeWithUplinks } from '../../host/observe/view.ts';
import { pick, withLibvirt } from '../../libvirt/libvirt.ts';
import { addressesOf, amended, type Domain, policyOf } from '../../model/domain.ts';
import type { Policy } from '../../model/policy.ts';
import { editPolicy } from '../../model/policy-words.ts';
import { ifPossible, quote, Refusal, UsageRefusal } from '../../model/refusal.ts';
import { readableAttachment } from '../../state/attachment-store.ts';
import { answerOutcome, type DryRun } from '../changes.ts';
import { table } from '../table.ts';
import { type CountedRule, countedPolicy } from '../views/rules.ts';

/**
 * Shows or changes a domain's rules: `default allow|deny`, `isolate on|off`, `delete N`, `move N TO`, `insert N RULE`, or a
 * rule to append.
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
  if (rules.some(({ packets }) => packets === null))
    context.warn(
      `the chains of ${quote(domain.name)} have other rules than these, so what some have matched isn't known; hnet sync mends them`,
    );
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
    const policy = editPolicy(policyOf(known.next), words);
    const decision = decide(known, amended(known.next, { policy }));
    answerOutcome(enact(libvirt, decision, options, context), options, context);
  });
}

function answer(
  { name: domain, uuid }: Domain,
  { inbound, isolate }: Policy,
  rules: readonly CountedRule[],
  context: Context,
): void {
  context.answer({ domain, uuid, default: inbound, isolate, rules });
}

function show({ isolate }: Policy, rules: readonly CountedRule[], { print, colour }: Context): void {
  const cells = rules.map(({ number, rule, packets, bytes }) => [
    number ?? '',
    rule,
    packets ?? 'unknown',
    bytes ?? 'unknown',
  ]);
  for (const line of table(['#', 'RULE', 'PACKETS', 'BYTES'], cells, colour)) print(line);
  if (isolate) print('isolated: no traffic with other domains of this host');
}

function withCounters(uuid: string, policy: Policy, context: Context): CountedRule[] {
  const attachment = readableAttachment(uuid);
  const backend = attachment === undefined ? chooseFirewall(context.config()) : firewallFor(attachment);
  return countedPolicy(uuid, policy, backend, look(context.host, backend.looks.brief));
}
