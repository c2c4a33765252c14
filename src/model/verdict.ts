/** What the kernel would do with a packet, as it says itself when it is asked. */
import { parsePrefix } from './address.ts';
import { contains, type Prefix } from './prefix.ts';
import { ifPossible } from './refusal.ts';
import type { RoutingRule } from './view.ts';

/** A packet that arrives at an interface of the host. */
export interface Packet {
  readonly from: Prefix;
  readonly to: Prefix;
  readonly iif: string;
}

export type Verdict =
  /**
   * It would leave by a device, or by one of several: which one depends on both ends of a flow. The routing table that says
   * so is `main`, or has a number or another name.
   */
  | { readonly is: 'forwarded'; readonly devices: readonly [string, ...string[]]; readonly table: string }
  /** The host would take it for itself. */
  | { readonly is: 'delivered' }
  /** It would be dropped. The words are the kernel's, for an error that has several causes. */
  | { readonly is: 'dropped'; readonly words: string };

/** The table that a rule looks into; undefined where it does something else. */
export const tableOf = ({ words }: RoutingRule): string | undefined => valueIn(words, 'lookup');

/** Whether it drops whatever it takes. */
export const drops = ({ words }: RoutingRule): boolean =>
  ['blackhole', 'prohibit', 'unreachable'].includes(valueIn(words, 'action') ?? '');

/** Words of a rule that say nothing of the packets that it takes. */
const EFFECTS = ['lookup', 'action', 'suppress_prefixlength', 'goto'];

/** Words that stand alone, where others name a condition and are followed by what is wanted. */
const FLAGS = ['not', 'iif_detached', 'oif_detached', 'unresolved'];

/** Whether a rule takes a packet without a mark, as those are that we ask about. */
export function takes({ family, words }: RoutingRule, packet: Packet): boolean {
  const all = words.split(' ');
  const [pairs, isNegated] = [all.filter(word => !FLAGS.includes(word)), all.includes('not')];
  const holds = pairs.every((key, at) => at % 2 === 1 || holdsOf(key, pairs[at + 1] ?? '', packet));
  return packet.to.family === family && holds !== isNegated;
}

function holdsOf(key: string, value: string, { from, to, iif }: Packet): boolean {
  if (EFFECTS.includes(key)) return true;
  if (key === 'from') return covers(value, from);
  if (key === 'to') return covers(value, to);
  if (key === 'iif') return value === iif;
  // The mark and its mask: only 0 is the mark of a packet that has none.
  if (key === 'fwmark') return Number(value) === 0;
  // Whatever else is asked for, such as a port, those packets don't have.
  return key === 'fwmask';
}

/** The ranges that a rule names. */
export const rangesIn = ({ words }: RoutingRule): Prefix[] =>
  ['from', 'to'].flatMap(key => ifPossible(() => parsePrefix(valueIn(words, key) ?? '')) ?? []);

const covers = (range: string, address: Prefix): boolean =>
  range === 'all' || (ifPossible(() => contains(parsePrefix(range), address)) ?? false);

const valueIn = (words: string, key: string): string | undefined =>
  new RegExp(`(?:^| )${key} (\\S+)`).exec(words)?.[1];

/** What keeps an address from being served, in words, and a command that mends it or shows more of it. */
export interface Cause {
  readonly why: string;
  readonly mend: string;
}
