/** The cluster as this host meets it. */
import type { ClusterSettings } from '../model/config.ts';
import type { Answer } from './answer.ts';
import type { Transaction } from './transaction.ts';

/** What is asked of etcd. */
export interface Etcd {
  /** All keys that begin so. @throws SilentRefusal, or Refusal */
  readonly read: (prefix: string) => Omit<Answer, 'succeeded'>;
  /**
   * Runs a transaction, twice if need be. It must be safe to retry: its compare is false after success. If an answer was
   * lost, the retry fails, and the caller finds its own write in what was read.
   * @throws SilentRefusal where it isn't known whether it was done or will be, or Refusal
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
