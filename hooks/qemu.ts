/** Loads the hook's program, which libvirt waits for. */
import { join } from 'node:path';
import { runCompiled } from '../src/host/compiled.ts';

/** Set by the bundler. */
declare const HNET_BUILD: string;

runCompiled(join(__dirname, 'program.cjs'), HNET_BUILD, require);
