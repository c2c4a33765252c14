import { format } from '../model/address.ts';
import { quote } from '../model/refusal.ts';
import type { Unserved } from '../model/unserved.ts';

/** Addresses that the kernel wouldn't serve, a line for each cause. */
export function unservedLines(all: readonly Unserved[]): string[] {
  const byCause = new Map<string, Unserved[]>();
  for (const one of all) byCause.set(one.cause.why, [...(byCause.get(one.cause.why) ?? []), one]);
  return [...byCause].map(([why, [first, ...more]]) => {
    const others = more.length === 0 ? '' : ` and ${more.length} more`;
    const which = first && `${quote(first.attachment.name)}: ${format(first.address)}${others}`;
    return `${which} can't be reached: ${why}`;
  });
}
