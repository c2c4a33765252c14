/** Changes of a domain's policy, in the words of `hnet firewall`. */
import type { Policy, PolicyRule } from './policy.ts';
import { asUsage, quote, UsageRefusal } from './refusal.ts';
import { parseRule } from './rule.ts';

/**
 * A policy after a change: `default allow|deny`, `isolate on|off`, `delete N`, `move N TO`, `insert N RULE`, or a rule to append.
 * @throws UsageRefusal for anything else
 */
export function editPolicy(policy: Policy, words: readonly string[]): Policy {
  const [verb, ...rest] = words;
  const given = rest.join(' ');
  if (verb === 'default') return { ...policy, inbound: choice(verb, given, ['allow', 'deny']) };
  if (verb === 'isolate') return { ...policy, isolate: choice(verb, given, ['on', 'off']) === 'on' };
  if (verb === 'delete') return { ...policy, rules: withoutRule(policy.rules, given) };
  if (verb === 'move') return { ...policy, rules: moved(policy.rules, rest) };
  if (verb === 'insert') return { ...policy, rules: inserted(policy.rules, rest) };
  return { ...policy, rules: [...policy.rules, asUsage(() => parseRule(words.join(' ')))] };
}

function choice<T extends string>(verb: string, given: string, values: readonly T[]): T {
  const found = values.find(one => one === given);
  if (found !== undefined) return found;
  throw new UsageRefusal(`Cannot set ${verb} to ${quote(given)}: it is ${values.join(' or ')}`);
}

const withoutRule = (rules: readonly PolicyRule[], given: string): PolicyRule[] =>
  rules.toSpliced(placeOf('delete rule', given, rules), 1);

/** Others make room for it, or close up behind it. */
function moved(rules: readonly PolicyRule[], [from = '', to = '', ...more]: readonly string[]): PolicyRule[] {
  if (more.length > 0)
    throw new UsageRefusal('Cannot move a rule: move takes its number and the one it shall have');
  const place = placeOf('move rule', from, rules);
  const target = placeOf('move a rule to place', to, rules);
  return rules.toSpliced(place, 1).toSpliced(target, 0, ...rules.slice(place, place + 1));
}

function inserted(rules: readonly PolicyRule[], [to = '', ...words]: readonly string[]): PolicyRule[] {
  const place = to === String(rules.length + 1) ? rules.length : placeOf('insert a rule at place', to, rules);
  return rules.toSpliced(
    place,
    0,
    asUsage(() => parseRule(words.join(' '))),
  );
}

/** The index of a rule that is named by its number. @throws UsageRefusal if there is none of this number */
function placeOf(purpose: string, given: string, rules: readonly unknown[]): number {
  const place = /^[1-9]\d*$/.test(given) ? Number(given) : 0;
  if (place >= 1 && place <= rules.length) return place - 1;
  throw new UsageRefusal(`Cannot ${purpose} ${quote(given)}: there are ${rules.length} rules`);
}
