/** The door to etcd: its own command line, for it speaks etcd's protocol with whatever certificates. */
import { CommandFailure } from '../host/command.ts';
import type { Host } from '../host/host.ts';
import { hasTool } from '../host/tools.ts';
import type { EtcdSettings } from '../model/config.ts';
import { Refusal } from '../model/refusal.ts';
import { type Answer, readEntries, readTransaction } from './answer.ts';
import { causeOf, isFinal, SilentRefusal } from './silence.ts';
import { renderTransaction, type Transaction } from './transaction.ts';

/**
 * So long an answer is waited for, in milliseconds, and so often it is asked for. With a leader that hangs the first try
 * is lost, and the others have another by the second.
 */
const PATIENCE = 2000;
const TRIES = 2;
/** `get` gives up a little before it would be killed, and so says why. `txn` of etcdctl 3.4 never gives up by itself. */
const OWN_PATIENCE = PATIENCE - 100;

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

export const etcdOf = (settings: EtcdSettings, host: Pick<Host, 'run'>): Etcd => ({
  read: prefix => readEntries(call(settings, ['get', '--prefix', '--', prefix], '', host)),
  transact: transaction => readTransaction(call(settings, ['txn'], renderTransaction(transaction), host)),
});

function call(
  settings: EtcdSettings,
  words: readonly string[],
  input: string,
  host: Pick<Host, 'run'>,
): string {
  let cause = '';
  for (let tried = 0; tried < TRIES; tried++) {
    try {
      return host.run([...etcdctl(settings), ...words], input, PATIENCE);
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      if (!hasTool('etcdctl'))
        throw new Refusal("etcdctl isn't installed; apt install etcd-client brings it");
      cause = causeOf(error.stderr);
      if (isFinal(error.stderr)) throw new Refusal(said(settings, 'refuses', cause));
    }
  }
  throw new SilentRefusal(said(settings, "doesn't answer", cause));
}

const said = ({ endpoints }: EtcdSettings, what: string, cause: string): string =>
  `etcd ${what} at ${endpoints.join(', ')}: ${cause}`;

/** The command with what each call has. What it tells under `--debug` is why nothing answers; it holds no secret of ours. */
export const etcdctl = ({ endpoints, ca, cert, key }: EtcdSettings): string[] => [
  'etcdctl',
  '--debug',
  '--write-out=json',
  `--command-timeout=${OWN_PATIENCE}ms`,
  `--endpoints=${endpoints.join(',')}`,
  ...(ca === undefined ? [] : [`--cacert=${ca}`]),
  ...(cert === undefined || key === undefined ? [] : [`--cert=${cert}`, `--key=${key}`]),
];
