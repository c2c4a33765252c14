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
 * Deletes keys as they were seen. Of some that are deleted together none is if any has changed since.
 * @returns those that were
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
