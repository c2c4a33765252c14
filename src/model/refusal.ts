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
 * A text with its control characters written out: both sets of ISO 6429, line separators, and Unicode's bidirectional
 * controls, which can make a name look like another.
 */
export function visible(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\p{Bidi_Control}]/gu,
    character => SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

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
