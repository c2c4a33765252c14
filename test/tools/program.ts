import { fileURLToPath } from 'node:url';

const BUNDLE = fileURLToPath(new URL('../../dist/hnet.cjs', import.meta.url));

/** The command line of the program as it was built; the machines of the lab see the outer machine's files. */
export const hnet = (...words: readonly string[]): string[] => [process.execPath, BUNDLE, ...words];
