/** A demo's terminal: every command is shown as it is run and with its own output; the first that doesn't do what it should ends it. */

import { fileURLToPath } from 'node:url';
import type { Machine } from '../machine.ts';
import type { Outcome } from '../run.ts';
import type { Vm } from '../vm.ts';

export const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));

const colourful = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined;
export const paint = (code: number, text: string) => (colourful ? `\u001b[${code}m${text}\u001b[0m` : text);
export const begun = performance.now();
export const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** Somewhere to type a command: a machine or a VM. Both outputs come back as one, as on a terminal. */
export type Shell = { readonly prompt: string; readonly type: (command: string) => Promise<Outcome> };
/** What a command must do, or the demo ends. */
export type Expected = { readonly code?: number; readonly output?: readonly RegExp[] };

export const shellOf = (prompt: string, machine: Machine, directory = '/'): Shell => ({
  prompt,
  type: command =>
    machine.attempt(['sh', '-c', `cd ${directory} && { ${command}\n} 2>&1`], { limit: 120_000 }),
});

export const shellIn = (vm: Vm): Shell => ({ prompt: `${vm.name}#`, type: command => vm.attempt(command) });

export function heading(text: string): void {
  console.log(`\n${paint(1, text)}`);
}

export function note(text: string): void {
  console.log(`  ${paint(32, '✓')} ${text}`);
}

export const tick = (since: number, what = '') => note(paint(2, `${what}${seconds(since)}`));

/** Shows a command, runs it, shows what it printed, and insists that it did as it should. */
export async function step(shell: Shell, command: string, expected: Expected = {}): Promise<string> {
  const since = performance.now();
  type([shell], command);
  const outcome = await shell.type(command);
  print(textOf(outcome));
  judge(command, outcome, expected);
  tick(since);
  return textOf(outcome);
}

/** The same command on several machines at once. Where they print the same it's shown once, else behind the name of each. */
export async function stepOnAll(
  shells: readonly Shell[],
  command: string,
  expected: Expected = {},
): Promise<void> {
  const since = performance.now();
  type(shells, command);
  const outcomes = await Promise.all(shells.map(shell => shell.type(command)));
  const alike = new Set(outcomes.map(textOf)).size === 1;
  for (const [index, outcome] of outcomes.entries()) {
    if (!alike || index === 0) print(textOf(outcome), alike ? '' : `${shells[index]?.prompt} `);
    judge(command, outcome, expected);
  }
  tick(since);
}

/** Shows a command that is run. */
export function type(shells: readonly Shell[], command: string): void {
  const [first = '', ...more] = command.split('\n');
  console.log(`  ${shells.map(({ prompt }) => paint(36, prompt)).join(' ')} ${first}`);
  for (const line of more) console.log(`  ${paint(36, '>')} ${line}`);
}

const textOf = ({ stdout, stderr }: Outcome): string => `${stdout}${stderr}`.trimEnd();

/** @param before what stands before each line */
function print(text: string, before = ''): void {
  for (const line of text.split('\n').filter(each => each !== '')) console.log(`    ${before}${line}`);
}

/** Insists that a command did as it should. */
function judge(command: string, outcome: Outcome, { code = 0, output = [] }: Expected): void {
  insist(outcome.code === code, `"${command}" ended with code ${outcome.code}`);
  const missing = output.find(pattern => !pattern.test(textOf(outcome)));
  insist(missing === undefined, `"${command}" should have printed ${missing}`);
}

/** For what takes its time without a command of its own. */
export async function wait<T>(what: string, work: () => Promise<T>): Promise<T> {
  const since = performance.now();
  const result = await work();
  tick(since, `${what}, `);
  return result;
}

export function insist(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
