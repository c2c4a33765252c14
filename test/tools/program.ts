import { fileURLToPath } from 'node:url';

/** What the build made. */
export const DIST = fileURLToPath(new URL('../../dist', import.meta.url));

/** The command line of the program, for a machine that sees it at this place. */
export const hnet = (words: readonly string[], place = DIST): string[] => [
  process.execPath,
  `${place}/hnet.cjs`,
  ...words,
];
