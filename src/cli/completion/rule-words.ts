/** The next word of what `hnet firewall` takes. */
import type { Policy } from '../../model/policy.ts';
import { WITH_PORTS } from '../../model/ports.ts';
import { formatRule } from '../../model/rule.ts';

/** A word, and what it means if it doesn't say so itself. */
export type Offer = readonly [word: string, meaning: string];

const plain = (words: readonly string[]): Offer[] => words.map(word => [word, '']);

const FIRST: readonly Offer[] = [
  ['allow', 'add a rule that lets packets in'],
  ['deny', 'add a rule that drops packets'],
  ['outbound', 'add a rule for what the domain sends'],
  ['inbound', 'add a rule for what the domain gets'],
  ['default', 'what happens to inbound connections that no rule matches'],
  ['isolate', 'whether it has no traffic with the other domains of this host'],
  ['delete', 'take a rule away'],
  ['insert', 'add a rule at a place'],
  ['move', 'give a rule another place'],
];

const WHAT: readonly Offer[] = [
  ...plain(['any', ...WITH_PORTS, 'icmp', 'esp', 'ah', 'gre', 'ipip']),
  ['tcp/22', 'SSH'],
  ['tcp/25', 'mail'],
  ['tcp/80,443', 'web'],
  ['udp/53', 'DNS'],
];

/** @param before the words after the domain so far */
export function nextRuleWords(before: readonly string[], { rules }: Policy): readonly Offer[] {
  const [first, ...rest] = before;
  if (first === undefined) return FIRST;
  if (first === 'default') return rest.length === 0 ? plain(['allow', 'deny']) : [];
  if (first === 'isolate') return rest.length === 0 ? plain(['on', 'off']) : [];
  const places = rules.map((rule, at): Offer => [String(at + 1), formatRule(rule)]);
  if (first === 'delete') return rest.length === 0 ? places : [];
  if (first === 'move') return rest.length < 2 ? places : [];
  if (first === 'insert') return rest.length === 0 ? places : nextOf(rest.slice(1));
  return nextOf(before);
}

/** Of a rule alone. */
function nextOf(before: readonly string[]): readonly Offer[] {
  const [first, ...rest] = before;
  const direction = first === 'outbound' ? 'to' : 'from';
  const [action, what, preposition] = first === 'inbound' || first === 'outbound' ? rest : before;
  if (action === undefined) return plain(['allow', 'deny']);
  if (what === undefined) return [...WHAT, [direction, 'any packet of an address or subnet']];
  return preposition === undefined && what !== direction ? plain([direction]) : [];
}
