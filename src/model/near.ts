import { distance } from 'fastest-levenshtein';

/** Of some words those that may have been meant: at most three that begin with what was written, or differ from it in no more than half of its letters. */
export function nearWords(words: readonly string[], written: string): string[] {
  const sought = written.toLowerCase();
  const far = (word: string): number =>
    word.toLowerCase().startsWith(sought) ? 0 : distance(word.toLowerCase(), sought);
  return words
    .filter(word => far(word) <= Math.max(1, sought.length / 2))
    .sort((a, b) => far(a) - far(b))
    .slice(0, 3);
}
