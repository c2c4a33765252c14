import * as v from 'valibot';
import { readIfThere } from '../host/files.ts';
import { ifPossible } from '../model/refusal.ts';

/** What a file of ours says; undefined where it isn't there, or says something else: nothing that depends on it fails with it. */
export const readJsonFile = <T>(path: string, schema: v.GenericSchema<unknown, T>): T | undefined =>
  ifPossible(() => v.parse(schema, JSON.parse(readIfThere(path) ?? '')));
