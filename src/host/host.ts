import { existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Refusal, reason } from '../model/refusal.ts';
import { type Action, type Batch, type BatchTool, batchCommand } from '../resources/action.ts';
import { meansAbsence } from './absence.ts';
import { type Beside, CommandFailure, runBeside, runCommand } from './command.ts';
import { linkAtomically, OWN_DIRECTORY, removeWhole, strike, writeAtomically } from './files.ts';
import { launch, refusalOf, type Server, serve } from './launch.ts';
import { terminate } from './processes.ts';
import { type Answers, IP_BATCH, linesOf, type Queries, toAnswers } from './query.ts';
import { explainEnd } from './server-trouble.ts';

/** How long a program may take, in milliseconds. */
const LIMIT = 10_000;

/**
 * The one door to the kernel and its tools. Calls are synchronous, for a plan is an ordered list. Every child has a time
 * limit, and none outlives the deadline of the whole.
 */
export class Host {
  readonly #deadline: number;
  readonly #trace: ((line: string) => void) | undefined;
  /** Servers that were started and not yet asked whether they run. */
  readonly #starting: Server[] = [];

  /** What went wrong without keeping anything from being done, a sentence each. */
  readonly warnings: string[] = [];

  /** @param limit how long everything together may take, in milliseconds */
  constructor({ limit = 300_000, trace }: { limit?: number; trace?: (line: string) => void } = {}) {
    this.#deadline = Date.now() + limit;
    this.#trace = trace;
  }

  /** The same door for work that is to take less time, in milliseconds. */
  within(limit: number): Host {
    const trace = this.#trace;
    return new Host({ limit: Math.min(limit, this.remaining()), ...(trace && { trace }) });
  }

  /** Milliseconds until the deadline; at least 1, for 0 means "no limit" to a child. */
  remaining(): number {
    return Math.max(1, this.#deadline - Date.now());
  }

  /** Runs a command and returns what it printed. @throws CommandFailure as {@link runCommand} */
  run(argv: readonly string[], stdin = '', timeout = LIMIT): string {
    this.#trace?.(argv.join(' '));
    return runCommand(argv, stdin, Math.min(timeout, this.remaining()));
  }

  /** What a command prints; nothing if it fails or isn't installed, where that doesn't matter. */
  output(argv: readonly string[]): string {
    try {
      return this.run(argv);
    } catch (error) {
      if (error instanceof CommandFailure) return '';
      throw error;
    }
  }

  /** Performs one batch, as the walker's `Runner` says. */
  perform(batch: Batch, forgiving: boolean): void {
    if (batch.kind === 'single') this.#performSingle(batch.action);
    else if (!forgiving) this.#runBatch(batch.tool, batch.lines, false);
    else {
      const failures = this.#failuresIn(batch.tool, batch.lines);
      if (failures.length > 0) throw new Refusal(failures.join('; '));
    }
  }

  /**
   * Makes sure that the servers started so far run. One whose port somebody else holds is only a warning: a domain without
   * DHCP is better than none, and the next look finds what its server left behind.
   * @throws CommandFailure with the words of the first that doesn't run for another reason
   */
  awaitServers(): void {
    const failed = this.#starting.splice(0).flatMap(server => {
      const words = refusalOf(server, Math.min(LIMIT, this.remaining()));
      if (words === undefined) return [];
      const { why, isTaken } = explainEnd(server, words, argv => this.output(argv));
      if (!isTaken) return [new CommandFailure(server.argv, why)];
      this.warnings.push(why);
      return [];
    });
    if (failed[0] !== undefined) throw failed[0];
  }

  /** Asks `ip` read-only questions, all in one process. @param beside what else is to be run meanwhile */
  query<Q extends Queries>(queries: Q, beside?: Beside): Answers<Q> {
    const input = linesOf(queries)
      .map(line => `${line}\n`)
      .join('');
    try {
      return toAnswers(queries, this.#runBeside(IP_BATCH, input, beside), '');
    } catch (error) {
      if (!(error instanceof CommandFailure && /^Command failed -:/m.test(error.stderr))) throw error;
      return toAnswers(queries, error.stdout, error.stderr);
    }
  }

  #runBeside(argv: readonly string[], input: string, beside: Beside | undefined): string {
    if (beside === undefined) return this.run(argv, input);
    for (const command of [...beside.commands, argv]) this.#trace?.(command.join(' '));
    return runBeside(argv, input, beside, Math.min(LIMIT, this.remaining()));
  }

  #runBatch(tool: BatchTool, lines: readonly string[], force: boolean): void {
    const { argv, stdin } = batchCommand(tool, lines, force);
    this.run(argv, stdin);
    for (const line of lines) this.#trace?.(`  ${tool} ${line}`);
  }

  /** Runs lines past failures. @returns what failed, other than by absence */
  #failuresIn(tool: BatchTool, lines: readonly string[]): string[] {
    try {
      this.#runBatch(tool, lines, true);
      return [];
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      // ipset stops at its first error, nft then does nothing at all, and some commands of ip end the whole batch.
      const isCutShort = error.status !== null && (tool !== 'ip' || error.status !== 1);
      if (lines.length > 1 && isCutShort) return lines.flatMap(line => this.#failuresIn(tool, [line]));
      return meansAbsence(tool, error, lines) ? [] : [error.message];
    }
  }

  #performSingle(action: Exclude<Action, { kind: 'line' }>): void {
    if (action.kind === 'run') {
      this.run(action.argv, action.stdin);
      return;
    }
    const object = objectOf(action);
    this.#trace?.(`${action.kind} ${object}`);
    try {
      if (action.kind === 'serve') this.#starting.push(serve(action));
      else performSingle(action);
    } catch (error) {
      throw new Refusal(`Cannot ${action.kind} ${object}: ${reason(error)}`);
    }
  }
}

/** The argv of a command; `hnet` is the program beside the one that runs. */
export const ownProgram = ([command = '', ...words]: readonly string[]): readonly string[] =>
  command === 'hnet'
    ? [process.execPath, join(dirname(realpathSync(process.argv[1] ?? '')), 'hnet.cjs'), ...words]
    : [command, ...words];

function objectOf(action: Exclude<Action, { kind: 'line' }>): string {
  if ('path' in action) return action.path;
  if ('pidFile' in action) return action.pidFile;
  return 'argv' in action ? action.argv.join(' ') : `${action.device} ${action.prefixes.join(' ')}`;
}

function performSingle(action: Exclude<Action, { kind: 'line' | 'run' | 'serve' }>): unknown {
  switch (action.kind) {
    case 'launch':
      return launch(ownProgram(action.argv));
    case 'announce':
      return launch(ownProgram(['hnet', 'announce', action.device, ...action.prefixes]));
    case 'write':
      return writeAtomically(action.path, action.text);
    case 'sysctl':
      if (action.ifPresent && !existsSync(action.path)) return undefined;
      return writeFileSync(action.path, action.value);
    case 'directory':
      return mkdirSync(action.path, { recursive: true, mode: OWN_DIRECTORY });
    case 'remove':
      return removeWhole(action.path);
    case 'strike':
      return strike(action.path, new RegExp(action.pattern));
    case 'link':
      return linkAtomically(action.path, action.target);
    case 'terminate':
      return terminate(action);
  }
}

/** Runs commands for what they print. */
export type Tools = Pick<Host, 'run' | 'output'>;
