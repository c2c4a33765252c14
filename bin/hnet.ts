import { basename } from 'node:path';
import { cli } from '../src/cli.ts';

// `hnet-assign` is `hnet assign`.
const [, program = '', ...argv] = process.argv;
process.exitCode = cli(basename(program).startsWith('hnet-assign') ? ['assign', ...argv] : argv);
