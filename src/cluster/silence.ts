/** Why etcd doesn't answer, by what etcdctl says under `--debug`. */
import { Refusal } from '../model/refusal.ts';

/** etcd gave no answer. Whether it will still do what it was asked to is unknown. */
export class SilentRefusal extends Refusal {
  override readonly name = 'SilentRefusal';
}

/** Words for what `etcdctl` told, from the most telling on. */
const CAUSES: readonly (readonly [pattern: RegExp, words: (found: string) => string])[] = [
  [/Error: (etcdserver: .*)/, found => found],
  [/authentication handshake failed: (.*?)"/, found => `the TLS handshake fails: ${found}`],
  // A server that doesn't like the certificate says so to its own log alone.
  [
    /transport is closing|use of closed network connection|connection reset by peer/,
    () => 'it closes the connection; it may want https, or a certificate of this host ("cert" and "key")',
  ],
  [/lookup [^"]*: ([^":]+)"/, found => found],
  [/dial(?:ing)? (?:dial )?tcp [^"]*?: (?:connect: )?([a-z][a-z ]+)"/, found => found],
  [/Connectivity change to READY/, () => 'it is reached, and has no quorum or hangs'],
  [/Error: (?!context deadline exceeded)(.*)/, found => found],
];

/** In a few words. @param stderr what etcdctl told */
export function causeOf(stderr: string): string {
  for (const [pattern, words] of CAUSES) {
    const match = pattern.exec(stderr);
    if (match !== null) return words(match[1] ?? '');
  }
  return 'no answer in time';
}

/** Whether it was etcdctl itself, or etcd, that refused: then another try comes to the same, and nothing was done. */
export const isFinal = (stderr: string): boolean =>
  /^Error: (?!.*(?:context deadline exceeded|no leader|leader changed|request timed out|timed out waiting|transport is closing|unhealthy cluster))/m.test(
    stderr,
  );
