import { CONFIG_FILE } from '../model/names.ts';

/** Something about this host that will cause trouble, why, and the command that mends it. */
export interface Diagnosis {
  readonly what: string;
  readonly why: string;
  readonly mend: string;
}

/** The command that opens the configuration. */
export const EDIT = `\${EDITOR:-nano} ${CONFIG_FILE}`;

/** One finding, as a list: what a check returns. */
export const diagnosis = (what: string, why: string, mend: string): Diagnosis[] => [{ what, why, mend }];
