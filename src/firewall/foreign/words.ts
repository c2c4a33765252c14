/** What both parsers of foreign rules need. */
import { parsePrefix } from '../../model/address.ts';
import type { Prefix } from '../../model/prefix.ts';
import type { Condition } from '../../model/view.ts';

/** The comment by which we recognise our accepts in other people's chains. */
export const MARK = 'hnet';

/** A chain of ours in a table of iptables, where earlier versions had some: it stops only what ours stop elsewhere too. */
export const isOurs = (chain: string): boolean => chain.startsWith('hnet-');

export const PARTICULAR: Condition = { is: 'particular' };
export const COMMON: Condition = { is: 'common' };

/** States of tracking that the packets of an ordinary flow have. */
const ORDINARY = ['new', 'established', 'related', 'untracked'];
export const stateCondition = (states: readonly string[]): Condition =>
  states.some(state => ORDINARY.includes(state.toLowerCase())) ? COMMON : PARTICULAR;

/** An address or subnet; nothing if it is written in a form that hnet doesn't know, such as a mask with gaps. */
export function readPrefix(text: string): Prefix[] {
  try {
    return [parsePrefix(text)];
  } catch {
    return [];
  }
}
