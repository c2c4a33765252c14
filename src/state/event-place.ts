/** How far the daemon has told the operator's programs what the journal says. */
import * as v from 'valibot';
import { writeAtomically } from '../host/files.ts';
import { EVENTS_FILE } from '../model/names.ts';
import { Refusal, reason } from '../model/refusal.ts';
import type { Place } from './journal-files.ts';
import { readJsonFile } from './json-file.ts';

const schema = v.object({ version: v.literal(1), month: v.string(), offset: v.number() });

/** Undefined where nothing was told yet, or the file is damaged: then it begins with what happens next. */
export const readEventPlace = (): Place | undefined => readJsonFile(EVENTS_FILE, schema);

/** @throws Refusal if it can't be written: then what comes next would be told again after a restart */
export function writeEventPlace({ month, offset }: Place): void {
  try {
    writeAtomically(EVENTS_FILE, `${JSON.stringify({ version: 1, month, offset })}\n`);
  } catch (error) {
    throw new Refusal(`Cannot write ${EVENTS_FILE}: ${reason(error)}; make room there`);
  }
}
