/** Changes of many keys, in as few transactions as etcd takes. */
import { type Cluster, MOST_AT_ONCE } from './cluster.ts';

/** Parts that fit into a transaction, each of two operations at most. */
export const chunks = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / MOST_AT_ONCE) }, (_, at) =>
    all.slice(at * MOST_AT_ONCE, (at + 1) * MOST_AT_ONCE),
  );

/** A key, and the revision in which it was seen. */
interface Sighted {
  readonly key: string;
  readonly revision: number;
}

/**
 * Deletes keys that haven't changed since they were read, {@link MOST_AT_ONCE} at a time: if one of those has changed, none of
 * them is deleted.
 * @returns those that were deleted
 */
export const deleteSeen = <T extends Sighted>({ etcd }: Pick<Cluster, 'etcd'>, all: readonly T[]): T[] =>
  chunks(all).flatMap(some => {
    const { succeeded } = etcd.transact({
      compare: some.map(({ key, revision }) => ({ key, revision })),
      success: some.map(({ key }) => ({ delete: key })),
      failure: [],
    });
    return succeeded ? some : [];
  });
