/**
 * What hnet says when it can't do what was asked: one sentence that names the value, the place and the way
 * out. Everything thrown on purpose is a Refusal; any other error is a bug and keeps its stack trace.
 */
export class Refusal extends Error {
  override readonly name: string = 'Refusal';
}

/** The command itself is wrong (exit code 2), not the state of the host (exit code 1). */
export class UsageRefusal extends Refusal {
  override readonly name = 'UsageRefusal';
}

/** Quotes a value for a message on one line: a domain's name may hold quotes, newlines or escape codes. */
export function quote(value: string): string {
  return JSON.stringify(value);
}

/** The text of whatever was thrown, on one line. */
export function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().replace(/\s*\n\s*/g, '; ');
}
