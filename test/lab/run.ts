import { execa } from 'execa';
import { PATIENCE } from './wait.ts';

export interface RunOptions {
  /** Standard input; without it the command reads from /dev/null. */
  readonly input?: string;
  /** Milliseconds before the command is killed. */
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

/** Runs a command to its end, whatever that is; a signal counts as 128 + its number would, at least not 0. */
export async function attempt(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const [file = '', ...rest] = argv;
  const result = await execa(file, rest, {
    reject: false,
    extendEnv: false,
    env: { ...ENVIRONMENT, ...options.env },
    timeout: options.limit ?? PATIENCE,
    killSignal: 'SIGKILL',
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
  });
  const why = result.timedOut ? `\ntimed out after ${options.limit ?? PATIENCE} ms` : '';
  const lost = result.exitCode === undefined && why === '' ? `\n${result.shortMessage}` : '';
  return { code: result.exitCode ?? 128, stdout: result.stdout, stderr: `${result.stderr}${why}${lost}` };
}

/** Runs a command that must succeed and gives back its standard output; the error holds the tool's own words. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  return expectSuccess(argv, await attempt(argv, options));
}

export function expectSuccess(argv: readonly string[], { code, stdout, stderr }: Outcome): string {
  if (code === 0) return stdout;
  throw new Error(`Cannot run "${argv.join(' ')}": exit code ${code}\n${stderr.trim() || stdout.trim()}`);
}
