/** Asks whoever sits at the terminal. */
import { readSync } from 'node:fs';
import { isatty } from 'node:tty';
import { printable } from '../model/refusal.ts';

/** Whether somebody sits there who sees a question and can answer it. */
export const hasPerson = (): boolean => [0, 1, 2].every(isatty);

/** Asks whether something shall be done; anything but yes is no. */
export const isConfirmed = (question: string): boolean => /^y(es)?$/i.test(ask(`${question} [y/N]`));

/** Asks, on standard error, and waits for a line. @returns the line without spaces around it; empty at the end of the input */
export function ask(question: string): string {
  process.stderr.write(`${printable(question)}\n> `);
  const bytes: number[] = [];
  const one = Buffer.alloc(1);
  while (readSync(0, one, 0, 1, null) === 1 && one[0] !== NEWLINE) bytes.push(one[0] ?? 0);
  return Buffer.from(bytes).toString().trim();
}

const NEWLINE = 0x0a;
