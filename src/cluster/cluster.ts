/** The cluster as this host meets it. */
import type { ClusterSettings } from '../model/config.ts';
import type { Answer } from './answer.ts';
import type { Transaction } from './transaction.ts';

/** What is asked of etcd. */
export interface Etcd {
  /** All keys that begin so. @throws SilentRefusal, or Refusal */
  readonly read: (prefix: string) => Omit<Answer, 'succeeded'>;
  /**
   * A transaction that may be repeated: what it compares must not hold any more once it was done. So if the first try was
   * done in spite of its silence, the second is told that what it compares isn't so, and the caller sees by what it reads
   * that it was itself.
   * @throws SilentRefusal where it isn't known whether it was or will be done, or Refusal
   */
  readonly transact: (transaction: Transaction) => Answer;
}

export interface Cluster {
  readonly settings: ClusterSettings;
  /** What this host is called. */
  readonly self: string;
  readonly etcd: Etcd;
}

/** So many things that take two operations at most fit into a transaction: etcd's own limit is 128 (`--max-txn-ops`). */
export const MOST_AT_ONCE = 60;
