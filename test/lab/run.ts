import { execa } from 'execa';
import { childrenOf, commandLine, kill } from './processes.ts';
import { PATIENCE } from './wait.ts';

export interface RunOptions {
  /** Standard input; without it the command reads from /dev/null. */
  readonly input?: string;
  /** Milliseconds before the command counts as hanging: it is killed, with all that it has started, and that is an error. */
  readonly limit?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
export const ENVIRONMENT: Readonly<Record<string, string>> = { PATH, HOME: '/root', LC_ALL: 'C' };

/**
 * Runs a command to its end, whatever that is; a signal counts as 128 + its number would, at least not 0.
 * @throws Error that names the command, and the processes that hung, if it hasn't ended by its limit
 */
export async function attempt(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const [file = '', ...rest] = argv;
  const running = execa(file, rest, {
    reject: false,
    extendEnv: false,
    env: { ...ENVIRONMENT, ...options.env },
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
  });
  const limit = options.limit ?? PATIENCE;
  let hung: string | undefined;
  const end = setTimeout(() => {
    hung = endTree(running.pid ?? 0).join('\n');
    // Whoever got away may hold the other ends.
    running.stdout?.destroy();
    running.stderr?.destroy();
  }, limit);
  const result = await running;
  clearTimeout(end);
  if (hung !== undefined)
    throw new Error(
      `Cannot run "${argv.join(' ')}": it hung for ${limit} ms, with\n${hung}\n${result.stderr ?? ''}`,
    );
  const lost = result.exitCode === undefined ? `\n${result.shortMessage}` : '';
  return { code: result.exitCode ?? 128, stdout: result.stdout, stderr: `${result.stderr}${lost}` };
}

/**
 * Kills a process with all that it has started: killed by itself, nsenter leaves what runs in the machine, and that holds the
 * pipes at whose end one would wait. @returns their command lines
 */
function endTree(pid: number): string[] {
  const pids = treeOf(pid);
  const lines = pids.map(commandLine);
  for (const one of pids) kill(one, 'SIGKILL');
  return lines;
}

const treeOf = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(treeOf)];

/** Runs a command that must succeed and gives back its standard output; the error holds the tool's own words. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  return expectSuccess(argv, await attempt(argv, options));
}

export function expectSuccess(argv: readonly string[], { code, stdout, stderr }: Outcome): string {
  if (code === 0) return stdout;
  throw new Error(`Cannot run "${argv.join(' ')}": exit code ${code}\n${stderr.trim() || stdout.trim()}`);
}
