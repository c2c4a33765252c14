/** Runs a program to its end. */
import { type SpawnSyncOptions, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { Refusal, reason } from '../model/refusal.ts';
import { quoted } from '../resources/action.ts';
import { ENVIRONMENT } from './tools.ts';

/** A command that failed: the message carries the argv and the tool's own words. */
export class CommandFailure extends Refusal {
  override readonly name = 'CommandFailure';
  /** Its exit code; null if it didn't end by itself. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;

  constructor(argv: readonly string[], why: string, result: Partial<SpawnSyncReturns<string>> = {}) {
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

/** Runs a command and returns what it printed. @throws CommandFailure if it can't be started, fails, or takes longer than the limit */
export function runCommand(argv: readonly string[], input: string, limit: number): string {
  return printedBy(argv, spawn(argv, { input }, limit), limit);
}

/**
 * Runs a command, and meanwhile others, one after another: on a second processor they take no time of their own.
 * A shell starts both, for Node can only wait for one process at a time. It writes what the others print to descriptor
 * 3, and after each NUL, the exit code and NUL: text holds no NUL. Whoever wants to know why one failed runs it by itself.
 * @throws CommandFailure as {@link runCommand}, and if one of the others hangs
 */
export function runBeside(argv: readonly string[], input: string, beside: Beside, limit: number): string {
  const lines = beside.commands.map(
    command => `${command.map(quoted).join(' ')} 2>/dev/null; printf '\\0%s\\0' $?`,
  );
  const script = `{ :\n${lines.join('\n')}\n} >&3 &\n"$@" 3>&-; code=$?; wait; exit $code`;
  const stdio = Array<'pipe'>(4).fill('pipe');
  const result = spawn(['sh', '-c', script, 'sh', ...argv], { input, stdio, detached: true }, limit);
  // A killed shell leaves its children. One that never ran has no pid, and 0 would be our own group.
  if (result.error !== undefined && result.pid > 0) killGroup(result.pid);
  const ended = [...(result.output?.[3] ?? '').matchAll(/([^\0]*)\0(\d+)\0/g)];
  for (const [index, command] of beside.commands.entries())
    if (ended[index]?.[2] === '0') beside.printed(command, ended[index]?.[1] ?? '');
  return printedBy(argv, result, limit, beside.commands[ended.length]);
}

function spawn(
  [command = '', ...args]: readonly string[],
  options: Pick<SpawnSyncOptions, 'input' | 'stdio'> & { readonly detached?: true },
  limit: number,
): SpawnSyncReturns<string> {
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

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function printedBy(
  argv: readonly string[],
  result: SpawnSyncReturns<string>,
  limit: number,
  unfinished?: readonly string[],
): string {
  if (result.error === undefined && result.status === 0) return result.stdout;
  throw new CommandFailure(argv, failure(result, limit, unfinished), result);
}

function failure(
  { error, status, signal, stderr }: SpawnSyncReturns<string>,
  limit: number,
  unfinished: readonly string[] | undefined,
): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ETIMEDOUT')
    return `no answer within ${(limit / 1000).toFixed(1)} s${unfinished === undefined ? '' : ` from it or from "${unfinished.join(' ')}"`}`;
  if (code === 'ENOENT') return 'the program is not installed';
  return error?.message ?? (stderr.trim() || `exit code ${status ?? signal}`);
}
