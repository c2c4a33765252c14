import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { type Action, type Batch, type BatchTool, batchCommand } from './action.ts';
import { ENVIRONMENT, launch, pause, refusalOf, type Server, serve } from './launch.ts';
import { Refusal, reason } from './refusal.ts';

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
    const [command = '', ...args] = argv;
    const limit = Math.min(timeout, this.remaining());
    const result = spawnSync(command, args, {
      input: stdin,
      encoding: 'utf8',
      timeout: limit,
      killSignal: 'SIGKILL',
      env: ENVIRONMENT,
      maxBuffer: 256 << 20,
      cwd: '/',
    });
    if (result.error === undefined && result.status === 0) return result.stdout;
    throw new CommandFailure(argv, failure(result, limit), {
      stdout: result.stdout ?? '',
      stderr: result.stderr ?? '',
    });
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

  /** Runs read-only `ip -j` queries in one process. A query that finds nothing yields undefined. */
  query(lines: readonly string[]): (unknown[] | undefined)[] {
    const { stdout, failed } = this.#tolerate(() =>
      this.run(['ip', '-json', '-details', '-force', '-batch', '-'], `${lines.join('\n')}\n`),
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

function complaints(stderr: string): string[] {
  return stderr
    .split('\n')
    .filter(
      line => line.trim() !== '' && !/^Command failed|^delete |^ *\^+$/.test(line) && !ABSENCE.test(line),
    );
}

function failure(result: ReturnType<typeof spawnSync>, limit: number): string {
  const error = result.error as NodeJS.ErrnoException | undefined;
  if (error?.code === 'ETIMEDOUT') return `no answer within ${(limit / 1000).toFixed(1)} s`;
  if (error?.code === 'ENOENT') return 'the program is not installed';
  if (error !== undefined) return error.message;
  const words = oneLine(String(result.stderr));
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
      for (const path of [action.path, halfOf(action.path)]) rmSync(path, { force: true });
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

/**
 * Where something lies until it is whole. The name is always the same, so that whoever writes or removes the thing
 * next also removes what a process left that was killed; each of our files has one writer at a time.
 */
export const halfOf = (path: string): string => `${path}~`;

/** Writes a file so that a reader, or a crash, never sees half of it. */
export function writeAtomically(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const temporary = halfOf(path);
  try {
    writeFileSync(temporary, text, { mode: 0o644 });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function writeSysctl(path: string, value: string, ifPresent: boolean): void {
  try {
    writeFileSync(path, value);
  } catch (error) {
    if (!(ifPresent && (error as NodeJS.ErrnoException).code === 'ENOENT')) throw error;
  }
}

/** The process that a pid file names, if it is still the one that was started with `marker`. */
export function processOf(pidFile: string, marker: string): number | undefined {
  const pid = pidIn(pidFile);
  return isProcess(pid, marker) ? pid : undefined;
}

/** The pid that a file holds; not a number where it holds none. */
export const pidIn = (pidFile: string): number => Number(readIfThere(pidFile)?.trim() || Number.NaN);

/** Whether a process runs that was started with `marker`. */
export const isProcess = (pid: number, marker: string): boolean =>
  Number.isInteger(pid) && pid > 1 && (readIfThere(`/proc/${pid}/cmdline`)?.includes(marker) ?? false);

/** The text of a file, or undefined if it isn't there (or its process has just gone). */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'ENOTDIR', 'EINVAL'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}

/** Takes lines out of a file. Whole or not at all, and untouched where there is nothing to take. */
function strike(path: string, pattern: RegExp): void {
  const lines = readIfThere(path)?.split('\n') ?? [];
  const kept = lines.filter(line => !pattern.test(line));
  if (kept.length < lines.length) writeAtomically(path, kept.join('\n'));
}

/** A symbolic link in the place of whatever link is there. */
function linkAtomically(path: string, target: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const temporary = halfOf(path);
  rmSync(temporary, { force: true });
  symlinkSync(target, temporary);
  renameSync(temporary, path);
}

/** SIGTERM, and SIGKILL after a second; returns when the processes are gone, so that their socket is free. */
function terminate({ pidFile, marker, pids = [] }: Extract<Action, { kind: 'terminate' }>): void {
  const named = processOf(pidFile, marker);
  const alive = (pid: number): boolean => isProcess(pid, marker);
  // Who was killed between starting it and noting its pid has left what it was started with.
  const lost = named === undefined && existsSync(marker) ? processes().filter(alive) : [];
  for (const pid of new Set([...(named === undefined ? lost : [named]), ...pids]))
    if (alive(pid)) end(pid, alive);
}

const processes = (): number[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number);

function end(pid: number, alive: (pid: number) => boolean): void {
  process.kill(pid, 'SIGTERM');
  const killAt = Date.now() + 1000;
  for (let killed = false, wait = 0.25; alive(pid); pause(wait)) {
    wait = Math.min(2 * wait, 8);
    if (!killed && Date.now() > killAt) killed = process.kill(pid, 'SIGKILL');
    if (Date.now() > killAt + 2000) throw new Refusal(`process ${pid} doesn't end`);
  }
}
