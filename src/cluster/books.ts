/** What this host last saw in the cluster's books, for those who don't ask etcd: check, status, doctor. */
import * as v from 'valibot';
import { removeWhole, writeAtomically } from '../host/files.ts';
import { RUN_CLUSTER } from '../model/names.ts';
import { readJsonFile } from '../state/json-file.ts';

const FILE = `${RUN_CLUSTER}/books.json`;
const VERSION = 1;

const schema = v.object({
  version: v.literal(VERSION),
  /** When etcd answered last: ISO 8601, in UTC; null: not since hnet's daemon runs. */
  answered: v.nullable(v.string()),
  /** Why it doesn't answer now; null: it does. */
  silent: v.nullable(v.string()),
  /** Domains that run on another host by etcd's word, and here too, or are what a move to it has left here. */
  twins: v.array(
    v.object({ uuid: v.string(), name: v.string(), host: v.string(), is: v.picklist(['running', 'left']) }),
  ),
});

type Books = Readonly<Omit<v.InferOutput<typeof schema>, 'version'>>;

/** Undefined where the daemon hasn't looked since this host was booted. */
export const readBooks = (): Books | undefined => readJsonFile(FILE, schema);

export const noteBooks = (books: Books): void =>
  writeAtomically(FILE, `${JSON.stringify({ version: VERSION, ...books })}\n`);

export const forgetBooks = (): void => removeWhole(FILE);
