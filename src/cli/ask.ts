/** Asks whoever sits at the terminal. */
import { readSync } from 'node:fs';
import { isatty } from 'node:tty';
import { printable, Refusal, UsageRefusal } from '../model/refusal.ts';

/** Whether somebody sits there who sees a question and can answer it. */
export const hasPerson = (): boolean => [0, 1, 2].every(isatty);

/**
 * Asks whether something shall be done.
 * @param purpose of `Cannot …`
 * @param unasked what to say where nobody can be asked
 * @throws UsageRefusal there, Refusal for anything but yes
 */
export function confirm(purpose: string, question: string, unasked: string): void {
  if (!hasPerson()) throw new UsageRefusal(`Cannot ${purpose}: ${unasked}`);
  if (!/^y(es)?$/i.test(ask(`${question} [y/N]`)))
    throw new Refusal(`Cannot ${purpose}: it was not confirmed`);
}

/** Asks, on standard error, and waits for a line. @returns the line without spaces around it; empty at the end of the input */
export function ask(question: string): string {
  process.stderr.write(`${printable(question)}\n> `);
  const bytes: number[] = [];
  const one = Buffer.alloc(1);
  while (readSync(0, one, 0, 1, null) === 1 && one[0] !== NEWLINE) bytes.push(one[0] ?? 0);
  return Buffer.from(bytes).toString().trim();
}

const NEWLINE = 0x0a;
