/** What this host last saw in etcd, for commands that don't ask etcd: check, status, doctor. */
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
  /** Domains that run on another host according to etcd, and run here too, or were left here by a move. */
  twins: v.array(
    v.object({ uuid: v.string(), name: v.string(), host: v.string(), is: v.picklist(['running', 'left']) }),
  ),
});

type Books = Readonly<Omit<v.InferOutput<typeof schema>, 'version'>>;

/** Undefined until the daemon has looked, after a boot. */
export const readBooks = (): Books | undefined => readJsonFile(FILE, schema);

export const noteBooks = (books: Books): void =>
  writeAtomically(FILE, `${JSON.stringify({ version: VERSION, ...books })}\n`);

export const forgetBooks = (): void => removeWhole(FILE);
