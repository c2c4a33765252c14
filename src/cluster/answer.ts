/** What `etcdctl -w json` prints. */
import * as v from 'valibot';
import { Refusal, reason } from '../model/refusal.ts';

/** A key of etcd's, and the revision in which it was written last. */
export interface Entry {
  readonly value: string;
  readonly revision: number;
}
type Entries = ReadonlyMap<string, Entry>;

/** What a transaction came to. */
export interface Answer {
  /** Whether what was compared was so. */
  readonly succeeded: boolean;
  /** The store's revision after it: that of each key that it wrote. */
  readonly revision: number;
  /** What was read, of all its reads together. */
  readonly entries: Entries;
}

const text = v.pipe(
  v.string(),
  v.transform(base64 => Buffer.from(base64, 'base64').toString()),
);
const header = v.object({ revision: v.number() });
// JSON leaves out what is empty.
const range = v.object({
  kvs: v.optional(
    v.array(v.object({ key: text, value: v.optional(text, ''), mod_revision: v.number() })),
    [],
  ),
});
/** Newer versions of etcdctl call it `response_range`. */
const response = v.object({
  Response: v.object({ ResponseRange: v.optional(range), response_range: v.optional(range) }),
});
const transaction = v.object({
  header,
  // A compare that failed is told by its absence, and by nothing else: the exit code is 0.
  succeeded: v.optional(v.boolean(), false),
  responses: v.optional(v.array(response), []),
});
const reading = v.object({ header, ...range.entries });

/** @throws Refusal if it isn't one */
export function readTransaction(printed: string): Answer {
  const { header, succeeded, responses } = parsed(transaction, printed);
  const ranges = responses.flatMap(({ Response: one }) => one.ResponseRange ?? one.response_range ?? []);
  return { succeeded, revision: header.revision, entries: entriesOf(ranges.flatMap(({ kvs }) => kvs)) };
}

/** What `get` printed. @throws Refusal if it isn't that */
export function readEntries(printed: string): Omit<Answer, 'succeeded'> {
  const { header, kvs } = parsed(reading, printed);
  return { revision: header.revision, entries: entriesOf(kvs) };
}

const watched = v.object({
  Events: v.optional(v.array(v.object({ kv: v.object({ key: text, value: v.optional(text, '') }) })), []),
});

/** The keys that a line of `watch` tells of, each with its value, which is empty where it is gone. */
export const readEvents = (line: string): readonly { readonly key: string; readonly value: string }[] =>
  parsed(watched, line).Events.map(({ kv }) => kv);

const entriesOf = (kvs: v.InferOutput<typeof range>['kvs']): Entries =>
  new Map(kvs.map(({ key, value, mod_revision }) => [key, { value, revision: mod_revision }]));

function parsed<T>(schema: v.GenericSchema<unknown, T>, printed: string): T {
  try {
    return v.parse(schema, JSON.parse(printed));
  } catch (error) {
    throw new Refusal(`Cannot read what etcdctl printed: ${reason(error)}; hnet needs etcdctl 3.4 or newer`);
  }
}
