/** What both parsers of foreign rules need. It imports nothing: much stands on it. */

/** The comment by which we recognise our accepts in other people's chains. */
export const MARK = 'hnet';

/** A chain of ours in a table of iptables, where earlier versions had some: it stops only what ours stop elsewhere too. */
export const isOurs = (chain: string): boolean => chain.startsWith('hnet-');

/** States of tracking that the packets of an ordinary flow have. */
const ORDINARY = ['new', 'established', 'related', 'untracked'];
export const isOrdinary = (states: readonly string[]): boolean =>
  states.some(state => ORDINARY.includes(state.toLowerCase()));

/** Whether a part that some packets have, by chance or in turn, is most of them. */
export const isMost = (share: number): boolean => share >= 0.5;

/** Whether a number is one of some others in the bits of a mask. */
export const isMasked = (number: number, mask: number, others: readonly number[]): boolean =>
  !Number.isNaN(number + mask) && others.some(other => ((other ^ number) & mask) === 0);
