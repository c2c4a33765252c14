/** When the host was last looked at as a whole, and repaired. */
import * as v from 'valibot';
import { writeAtomically } from '../host/files.ts';
import { SYNC_FILE } from '../model/names.ts';
import { ifPossible } from '../model/refusal.ts';
import { readJsonFile } from './json-file.ts';

const VERSION = 1;

const schema = v.object({
  version: v.literal(VERSION),
  /** In milliseconds since the epoch. */
  at: v.number(),
  /** Whether everything was as it should be afterwards. */
  isGood: v.boolean(),
});

type LastSync = Pick<v.InferOutput<typeof schema>, 'at' | 'isGood'>;

/** Notes that a sync has come to its end. No repair fails because this can't be noted: then it shows as older than it is. */
export function noteSync(isGood: boolean): void {
  ifPossible(() =>
    writeAtomically(SYNC_FILE, `${JSON.stringify({ version: VERSION, at: Date.now(), isGood })}\n`),
  );
}

/** Undefined where there was none since the host was booted, or it can't be read. */
export const readLastSync = (): LastSync | undefined => readJsonFile(SYNC_FILE, schema);
