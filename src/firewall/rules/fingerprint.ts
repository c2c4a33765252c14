/** A chain is recognised by a fingerprint in its last line, for the tools print lines in another form than they read. */
import { digest } from '../../model/names.ts';
import type { RuleLine } from '../../model/view.ts';
import { ABSENT, changed, type Finding, PRESENT } from '../../resources/resource.ts';
import type { Written } from './rules.ts';

export const markOf = (text: string): string => `hnet:${digest(text)}`;

/** Whether a chain exists with the fingerprint and as many lines as it should have. */
export function probeChain({ name, lines }: Written, mark: string, actual?: readonly RuleLine[]): Finding {
  if (actual === undefined) return ABSENT;
  if (actual.length !== lines.length)
    return changed(`${name} has ${actual.length} rules, not ${lines.length}`);
  return actual.at(-1)?.text.includes(mark) ? PRESENT : changed(`${name} has other rules`);
}
