import { type SpawnSyncOptions, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { Refusal, reason } from '../model/refusal.ts';
import { type Action, type Batch, type BatchTool, batchCommand, quoted } from '../resources/action.ts';
import { linkAtomically, removeWhole, strike, writeAtomically, writeSysctl } from './files.ts';
import { ENVIRONMENT, launch, refusalOf, type Server, serve } from './launch.ts';
import { terminate } from './processes.ts';

/** A command that failed: the message carries the argv and the tool's own words. */
export class CommandFailure extends Refusal {
  override readonly name = 'CommandFailure';
  readonly stdout: string;
  readonly stderr: string;

  constructor(argv: readonly string[], why: string, output: { stdout: string; stderr: string }) {
    super(`Cannot run "${argv.join(' ')}": ${why}`);
    this.stdout = output.stdout;
    this.stderr = output.stderr;
  }
}

/** What the tools say when the thing to be removed isn't there; taking down treats it as success. */
const ABSENCE =
  /Cannot find device|No such process|No such device|No such file or directory|Cannot assign requested address|[Aa]ddress not found|set with the given name does not exist|element cannot be deleted|element does not exist/;

/** Commands that only look, and who wants to know what those of them printed that didn't fail. */
export interface Beside {
  readonly commands: readonly (readonly string[])[];
  readonly printed: (argv: readonly string[], output: string) => void;
}

/** The descriptors that others than the command itself write to: dash, which is sh on Debian, redirects none above 9. */
const FIRST_FREE = 3;
const LAST_FREE = 9;

/**
 * The one door to the kernel and its tools. Calls are synchronous: a plan is an ordered list, and nothing is
 * gained by overlapping its steps. Every child has a time limit, and none outlives the deadline of the whole.
 */
export class Host {
  readonly #deadline: number;
  readonly #trace: ((line: string) => void) | undefined;
  /** Servers that were started and not yet asked whether they run. */
  readonly #starting: Server[] = [];

  /** @param limit how long everything together may take, in milliseconds */
  constructor({ limit = 300_000, trace }: { limit?: number; trace?: (line: string) => void } = {}) {
    this.#deadline = Date.now() + limit;
    this.#trace = trace;
  }

  /** Milliseconds until the deadline; at least 1, for 0 means "no limit" to a child. */
  remaining(): number {
    return Math.max(1, this.#deadline - Date.now());
  }

  /**
   * Runs a command and returns what it printed.
   * @throws CommandFailure if it can't be started, exits non-zero, or takes over ten seconds
   */
  run(argv: readonly string[], stdin = '', timeout = 10_000): string {
    this.#trace?.(argv.join(' '));
    return printedBy(argv, this.#spawn(argv, { input: stdin, timeout }));
  }

  /**
   * Runs a command with others beside it: where there is a second processor they take no time of their own. As many of
   * them as a shell can keep apart; what they say of a failure is lost.
   * @throws CommandFailure as {@link run}, and only for the command itself, unless one of the others hangs
   */
  #runBeside({ commands, printed }: Beside, argv: readonly string[], input: string): string {
    const others = commands.slice(0, LAST_FREE - FIRST_FREE + 1);
    for (const command of [...others, argv]) this.#trace?.(command.join(' '));
    const parts = others.map(
      (command, index) =>
        `{ ${command.map(quoted).join(' ')} && printf '\\0'; } >&${FIRST_FREE + index} 2>/dev/null &`,
    );
    const shell = ['sh', '-c', `${parts.join('\n')}\n"$@"; code=$?; wait; exit $code`, 'sh', ...argv];
    const stdio = Array<'pipe'>(FIRST_FREE + others.length).fill('pipe');
    const result = this.#spawn(shell, { input, stdio, detached: true });
    // A shell that is killed leaves those that it has started. One that never ran has no pid, and 0 would be our own group.
    if (result.error !== undefined && result.pid > 0) killGroup(result.pid);
    for (const [index, command] of others.entries()) {
      const output = result.output?.[FIRST_FREE + index] ?? '';
      // The last byte says that it came to its end.
      if (output.endsWith('\0')) printed(command, output.slice(0, -1));
    }
    return printedBy(argv, result, others);
  }

  #spawn([command = '', ...args]: readonly string[], options: SpawnOptions): Spawned {
    const limit = Math.min(options.timeout ?? 10_000, this.remaining());
    const result = spawnSync(command, args, {
      ...options,
      encoding: 'utf8',
      timeout: limit,
      killSignal: 'SIGKILL',
      env: ENVIRONMENT,
      maxBuffer: 256 << 20,
      cwd: '/',
    });
    return { ...result, limit };
  }

  /** What a command prints, or nothing: of a tool that fails or isn't installed, where that is nothing to speak of. */
  output(argv: readonly string[]): string {
    try {
      return this.run(argv);
    } catch (error) {
      if (error instanceof CommandFailure) return '';
      throw error;
    }
  }

  /**
   * Performs one batch. `forgiving`, for taking down: absence is success, and one line's failure doesn't keep
   * the next from running.
   */
  perform(batch: Batch, forgiving: boolean): void {
    if (batch.kind === 'single') this.#performSingle(batch.action);
    else if (forgiving) this.#performForgiving(batch.tool, batch.lines);
    else this.#runBatch(batch.tool, batch.lines, false);
  }

  /** Makes sure that the servers started so far run. @throws CommandFailure with the words of the first that doesn't */
  awaitServers(): void {
    const failed = this.#starting.splice(0).flatMap(server => {
      const limit = Math.min(10_000, this.remaining());
      const why = refusalOf(server, limit);
      return why === undefined ? [] : [new CommandFailure(server.argv, oneLine(why), NO_OUTPUT)];
    });
    if (failed[0] !== undefined) throw failed[0];
  }

  /**
   * Runs read-only `ip -j` queries in one process. A query that finds nothing yields undefined.
   * @param beside what else is to be run meanwhile
   */
  query(lines: readonly string[], beside?: Beside): (unknown[] | undefined)[] {
    const argv = ['ip', '-json', '-details', '-force', '-batch', '-'];
    const input = `${lines.join('\n')}\n`;
    const { stdout, failed } = this.#tolerate(() =>
      beside === undefined ? this.run(argv, input) : this.#runBeside(beside, argv, input),
    );
    const answers = stdout.split('\n').filter(line => line.trim() !== '');
    return lines.map((_, index) =>
      failed.has(index + 1) ? undefined : (JSON.parse(answers.shift() ?? '[]') as unknown[]),
    );
  }

  #tolerate(call: () => string): { stdout: string; failed: Set<number> } {
    try {
      return { stdout: call(), failed: new Set() };
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      const failed = [...error.stderr.matchAll(/^Command failed -:(\d+)$/gm)].map(match => Number(match[1]));
      if (failed.length === 0) throw error;
      return { stdout: error.stdout, failed: new Set(failed) };
    }
  }

  #runBatch(tool: BatchTool, lines: readonly string[], force: boolean): void {
    const { argv, stdin } = batchCommand(tool, lines, force);
    this.run(argv, stdin);
    for (const line of lines) this.#trace?.(`  ${tool} ${line}`);
  }

  #performForgiving(tool: BatchTool, lines: readonly string[]): void {
    try {
      this.#runBatch(tool, lines, true);
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      // ipset stops at its first error whatever we ask, and nft then does nothing at all: one by one they get their turn.
      if (lines.length > 1 && tool !== 'ip') for (const line of lines) this.#performForgiving(tool, [line]);
      // Who has nothing to say of what is absent has hung, or isn't installed.
      else if (error.stderr.trim() === '' || complaints(error.stderr).length > 0) throw error;
    }
  }

  #performSingle(action: Exclude<Action, { kind: 'line' }>): void {
    if (action.kind === 'run') {
      this.run(action.argv, action.stdin);
      return;
    }
    const object =
      'path' in action ? action.path : action.kind === 'launch' ? action.argv.join(' ') : action.pidFile;
    this.#trace?.(`${action.kind} ${object}`);
    try {
      if (action.kind === 'launch') launch(action.argv);
      else if (action.kind === 'serve') this.#starting.push(serve(action.argv, action.pidFile));
      else performOnFiles(action);
    } catch (error) {
      throw new Refusal(`Cannot ${action.kind} ${object}: ${reason(error)}`);
    }
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function complaints(stderr: string): string[] {
  return stderr
    .split('\n')
    .filter(
      line => line.trim() !== '' && !/^Command failed|^delete |^ *\^+$/.test(line) && !ABSENCE.test(line),
    );
}

type SpawnOptions = Pick<SpawnSyncOptions, 'input' | 'stdio' | 'timeout'> & { readonly detached?: true };
type Spawned = SpawnSyncReturns<string> & { readonly limit: number };

function printedBy(
  argv: readonly string[],
  result: Spawned,
  beside: readonly (readonly string[])[] = [],
): string {
  if (result.error === undefined && result.status === 0) return result.stdout;
  throw new CommandFailure(argv, failure(result, beside), {
    stdout: result.stdout ?? '',
    stderr: result.stderr ?? '',
  });
}

function failure(result: Spawned, beside: readonly (readonly string[])[]): string {
  const error = result.error as NodeJS.ErrnoException | undefined;
  if (error?.code === 'ETIMEDOUT') {
    const others = beside.map(command => `"${command.join(' ')}"`).join(', ');
    return `no answer within ${(result.limit / 1000).toFixed(1)} s${others && ` from it or from ${others}`}`;
  }
  if (error?.code === 'ENOENT') return 'the program is not installed';
  if (error !== undefined) return error.message;
  const words = oneLine(result.stderr);
  return words === '' ? `exit code ${result.status ?? result.signal}` : words;
}

const oneLine = (words: string): string => words.trim().replace(/\s*\n\s*/g, '; ');
const NO_OUTPUT = { stdout: '', stderr: '' };

function performOnFiles(action: Exclude<Action, { kind: 'line' | 'run' | 'launch' | 'serve' }>): void {
  switch (action.kind) {
    case 'write':
      writeAtomically(action.path, action.text);
      break;
    case 'sysctl':
      writeSysctl(action.path, action.value, action.ifPresent ?? false);
      break;
    case 'directory':
      mkdirSync(action.path, { recursive: true, mode: 0o755 });
      break;
    case 'remove':
      removeWhole(action.path);
      break;
    case 'strike':
      strike(action.path, new RegExp(action.pattern));
      break;
    case 'link':
      linkAtomically(action.path, action.target);
      break;
    case 'terminate':
      terminate(action);
      break;
  }
}
