import { fileURLToPath } from 'node:url';

/** What the build made. */
export const DIST = fileURLToPath(new URL('../../dist', import.meta.url));
/** Spares all runs of the program but the first its compilation. */
export const COMPILED = fileURLToPath(new URL('../support/compiled.cjs', import.meta.url));

/** The command line of the program, for a machine that sees it and the cache's script at these places. */
export const hnet = (words: readonly string[], place = DIST, compiled = COMPILED): string[] => [
  process.execPath,
  '-r',
  compiled,
  `${place}/hnet.cjs`,
  ...words,
];
