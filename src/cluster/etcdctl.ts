/** The door to etcd: its own command line, for it speaks etcd's protocol with whatever certificates. */
import { CommandFailure } from '../host/command.ts';
import type { Host } from '../host/host.ts';
import { hasTool } from '../host/tools.ts';
import type { EtcdSettings } from '../model/config.ts';
import { Refusal } from '../model/refusal.ts';
import { readEntries, readTransaction } from './answer.ts';
import type { Etcd } from './cluster.ts';
import { causeOf, isFinal, SilentRefusal } from './silence.ts';
import { renderTransaction } from './transaction.ts';

/**
 * So long an answer is waited for, in milliseconds, and so often it is asked for. With a leader that hangs the first try
 * is lost, and the others have another by the second.
 */
const PATIENCE = 2000;
const TRIES = 2;
/** `get` gives up a little before it would be killed, and so says why. `txn` of etcdctl 3.4 never gives up by itself. */
const OWN_PATIENCE = PATIENCE - 100;

export const etcdOf = (settings: EtcdSettings, host: Pick<Host, 'run'>): Etcd => ({
  read: prefix => readEntries(ask(settings, ['get', '--prefix', '--', prefix], '', host)),
  transact: transaction => readTransaction(ask(settings, ['txn'], renderTransaction(transaction), host)),
});

/**
 * What a command of etcdctl prints; it is run again where it gave no answer.
 * @throws SilentRefusal if it never does, Refusal if etcd refuses
 */
export function ask(
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
