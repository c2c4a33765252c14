/** Runs a program to its end. */
import { type SpawnSyncOptions, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { ifPossible, Refusal, reason } from '../model/refusal.ts';
import { shellWord } from '../model/shell.ts';
import { ENVIRONMENT } from './tools.ts';

type Result = SpawnSyncReturns<string>;

/** A command that failed: the message carries the argv and the tool's own words. */
export class CommandFailure extends Refusal {
  override readonly name = 'CommandFailure';
  /** Its exit code; null if it didn't end by itself. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;

  constructor(argv: readonly string[], why: string, result: Partial<Result> = {}) {
    super(`Cannot run "${argv.join(' ')}": ${reason(why)}`);
    this.status = result.status ?? null;
    this.stdout = result.stdout ?? '';
    this.stderr = result.stderr ?? '';
  }
}

/** Commands that only read, and a function that is given what each of them printed that succeeded. */
export interface Beside {
  readonly commands: readonly (readonly string[])[];
  readonly printed: (argv: readonly string[], output: string) => void;
}

/** Runs a command and returns what it printed. @throws CommandFailure if it can't be started, fails, or takes too long */
export function runCommand(argv: readonly string[], input: string, limit: number): string {
  return printedBy(argv, spawn(argv, { input }, limit), limit);
}

/** The commands beside another run in so many rows; in a single one a look took up to a sixth longer on two processors. */
const ROWS = [0, 1];
const FIRST_DESCRIPTOR = 3;

/**
 * Runs a command, and others beside it. A shell starts them, for Node waits for one process at a time. What a row prints
 * goes to a descriptor of its own, and after each command NUL, its exit code and NUL, which no text holds.
 * @throws CommandFailure as {@link runCommand}, and if one of the others hangs; one that fails only isn't `printed`
 */
export function runBeside(argv: readonly string[], input: string, beside: Beside, limit: number): string {
  const script = `${ROWS.map(row => rowOf(beside.commands, row)).join('')}"$@"; code=$?; wait; exit $code`;
  const stdio = Array<'pipe'>(FIRST_DESCRIPTOR + ROWS.length).fill('pipe');
  const result = spawn(['sh', '-c', script, 'sh', ...argv], { input, stdio, detached: true }, limit);
  // A killed shell leaves its children. One that never ran has no pid, and 0 would be our own group.
  if (result.error !== undefined && result.pid > 0) ifPossible(() => process.kill(-result.pid, 'SIGKILL'));
  const ended = ROWS.map(row => [
    ...(result.output?.[FIRST_DESCRIPTOR + row] ?? '').matchAll(/([^\0]*)\0(\d+)\0/g),
  ]);
  const unfinished = beside.commands.filter((command, index) => {
    const [, output = '', code] = ended[index % ROWS.length]?.[Math.floor(index / ROWS.length)] ?? [];
    if (code === '0') beside.printed(command, output);
    return code === undefined;
  });
  const hanging = unfinished.map(command => `"${command.join(' ')}"`).join(', ');
  return printedBy(argv, result, limit, hanging && ` from it or from ${hanging}`);
}

function rowOf(commands: Beside['commands'], row: number): string {
  const lines = commands
    .filter((_, index) => index % ROWS.length === row)
    .map(command => `${command.map(shellWord).join(' ')} 2>/dev/null; printf '\\0%s\\0' $?\n`);
  return `{ :\n${lines.join('')}} >&${FIRST_DESCRIPTOR + row} &\n`;
}

function spawn(
  [command = '', ...args]: readonly string[],
  options: SpawnSyncOptions & { readonly detached?: true },
  limit: number,
): Result {
  return spawnSync(command, args, {
    ...options,
    encoding: 'utf8',
    timeout: limit,
    killSignal: 'SIGKILL',
    env: ENVIRONMENT,
    maxBuffer: 256 << 20,
    cwd: '/',
  });
}

function printedBy(argv: readonly string[], result: Result, limit: number, others = ''): string {
  if (result.error === undefined && result.status === 0) return result.stdout;
  throw new CommandFailure(argv, whyNot(result, limit, others), result);
}

function whyNot({ error, status, signal, stderr }: Result, limit: number, others: string): string {
  const { code, message }: Partial<NodeJS.ErrnoException> = error ?? {};
  if (code === 'ETIMEDOUT') return `no answer within ${(limit / 1000).toFixed(1)} s${others}`;
  if (code === 'ENOENT') return 'the program is not installed';
  return message ?? (stderr.trim() || `exit code ${status ?? signal}`);
}
