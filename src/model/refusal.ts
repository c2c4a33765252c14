/**
 * What hnet says when it can't do what was asked: one sentence that names the value, the place and the way out. Any other
 * error is a bug and keeps its stack trace.
 */
export class Refusal extends Error {
  override readonly name: string = 'Refusal';
}

/** The command itself is wrong (exit code 2), not the state of the host (exit code 1). */
export class UsageRefusal extends Refusal {
  override readonly name = 'UsageRefusal';
}

/** Quotes a value for a message on one line: a domain's name may hold quotes, newlines or escape codes. */
export const quote = (value: string): string => `"${visible(JSON.stringify(value).slice(1, -1))}"`;

/**
 * A text with everything written out that a terminal obeys or doesn't show: control characters (both sets of ISO 6429),
 * line separators, and characters without a shape, by which a name can look like another. In JSON it means the same.
 */
export const visible = (text: string): string => text.replace(UNSEEN, escaped);

/** The same for what hnet itself prints in several lines, with tabs, and in colour. */
export const printable = (text: string): string =>
  text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: this one begins a colour
    /(\u001b\[\d{1,2}m|[\n\t])|[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/gu,
    (found, own?: string) => own ?? escaped(found),
  );

/** Whether a name shows all that it holds, and isn't taken for an option. */
export const canBeTyped = (name: string): boolean => visible(name) === name && !name.startsWith('-');

/** The two joiners stay: Persian and emoji are written with them. */
const UNSEEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/gu;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const escaped = (character: string): string => SHORT[character] ?? unitsOf(character).map(hex).join('');
const unitsOf = (text: string): number[] =>
  Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
const hex = (unit: number): string => `\\u${unit.toString(16).padStart(4, '0')}`;

/** Reads a word of the command line: what the parser refuses there is wrong usage. */
export function asUsage<T>(read: () => T, purpose?: string): T {
  try {
    return read();
  } catch (error) {
    throw new UsageRefusal(purpose === undefined ? reason(error) : `Cannot ${purpose}: ${reason(error)}`);
  }
}

/** The text of whatever was thrown, on one line. */
export function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().replace(/\s*\n\s*/g, '; ');
}

/** What a read gives, or undefined if it fails, for whatever reason. */
export function ifPossible<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
