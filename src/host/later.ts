/** What a command prints, while this process goes on. */
import { execFile } from 'node:child_process';
import { CommandFailure } from './command.ts';
import { ENVIRONMENT } from './tools.ts';

/** How long it may take, in milliseconds, and how much it may print, in bytes. */
const [LIMIT, MOST] = [10_000, 256 << 20];

/** Runs a command that only reads. It rejects with a CommandFailure where `runCommand` throws one. */
export const printedLater = (argv: readonly string[], input = ''): Promise<string> =>
  new Promise((resolve, reject) => {
    const [command = '', ...args] = argv;
    const options = {
      env: ENVIRONMENT,
      cwd: '/',
      timeout: LIMIT,
      killSignal: 'SIGKILL',
      maxBuffer: MOST,
    } as const;
    const child = execFile(command, args, options, (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new CommandFailure(argv, stderr || error.message)),
    );
    child.stdin?.on('error', () => undefined).end(input);
  });
