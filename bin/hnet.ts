/** Loads the command line. */
import { join } from 'node:path';
import { runCompiled } from '../src/host/compiled.ts';

/** Set by the bundler. */
declare const HNET_CLI: string;

runCompiled(join(__dirname, 'cli.cjs'), HNET_CLI, require);
