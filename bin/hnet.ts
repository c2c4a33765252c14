import { basename } from 'node:path';
import { cli } from '../src/cli/cli.ts';

/** What a shell says of a program that the signal ended, as it ends all those that don't ignore it. */
const SIGPIPE = 141;

// Whoever read along has left (`| head`), which is no error; whatever was to be done is done by then.
process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  if (code !== 'EPIPE') process.stderr.write(`hnet: Cannot write: ${message}\n`);
  process.exit(code === 'EPIPE' ? SIGPIPE : 1);
});

// `hnet-assign` is `hnet assign`.
const [, program = '', ...argv] = process.argv;
process.exitCode = cli(basename(program).startsWith('hnet-assign') ? ['assign', ...argv] : argv);
