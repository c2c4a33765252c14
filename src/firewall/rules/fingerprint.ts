/** A chain is recognised by a fingerprint in its last line, for the tools print lines in another form than they read. */
import { digest } from '../../model/names.ts';
import type { RuleLine } from '../../model/view.ts';
import { ABSENT, changed, type Finding, PRESENT } from '../../resources/resource.ts';

export const markOf = (text: string): string => `hnet:${digest(text)}`;

/** Whether a chain exists with the fingerprint and as many lines as it should have. */
export function probeChain(
  name: string,
  actual: readonly RuleLine[] | undefined,
  wanted: number,
  mark: string,
): Finding {
  if (actual === undefined) return ABSENT;
  if (actual.length !== wanted) return changed(`${name} has ${actual.length} rules, not ${wanted}`);
  return actual.at(-1)?.text.includes(mark) ? PRESENT : changed(`${name} has other rules`);
}
