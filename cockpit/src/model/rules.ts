/** The rules of a VM with what each has matched. */
import type { CountedDomain } from './lines.ts';

export interface RuleRow {
  /** From 1; null for the default. */
  readonly number: number | null;
  readonly rule: string;
  /** Undefined until the counters of this very rule have come. */
  readonly counted: { readonly packets: number; readonly bytes: number } | undefined;
}

/** In their order, then the default for what comes in and matches none. */
export function ruleRows(
  { rules, default: inbound }: { readonly rules: readonly string[]; readonly default: string },
  counted: CountedDomain | undefined,
): RuleRow[] {
  const row = (number: number | null, rule: string): RuleRow => ({
    number,
    rule,
    // Counters come every few seconds: meanwhile another rule may have this number.
    counted: counted?.rules.find(one => one.number === number && one.rule === rule),
  });
  return [...rules.map((rule, at) => row(at + 1, rule)), row(null, `default ${inbound}`)];
}
