/** Adds up the traffic of all running domains. */
import { firewallOf } from '../host/choose-backend.ts';
import type { Context } from '../host/context.ts';
import type { Host } from '../host/host.ts';
import { withLock } from '../host/lock.ts';
import { look } from '../host/observe/parts.ts';
import type { Attachment } from '../model/attachment.ts';
import { BACKENDS } from '../model/config.ts';
import { addUp } from '../state/ledger.ts';
import { readAttachments } from '../state/records.ts';

/**
 * Adds up what was counted, but what is passed on for a domain that has left (moves/count.ts). The lock keeps a release from
 * doing the same at the same time.
 */
export function countTraffic({ host }: Pick<Context, 'host'>): void {
  withLock('sync', 'exclusive', host, () => {
    const attachments = readAttachments();
    for (const name of BACKENDS)
      addUpAll(
        attachments.filter(({ backend, state }) => backend === name && state !== 'leaving'),
        host,
      );
  });
}

/** @param attachments all of one backend */
function addUpAll(attachments: readonly Attachment[], host: Host): void {
  const [first] = attachments;
  if (first === undefined) return;
  const prefixes = attachments.flatMap(({ addresses }) => addresses.map(({ prefix }) => prefix));
  const filter = look(host, firewallOf(first.backend, prefixes).counters());
  for (const { domain, addresses } of attachments)
    for (const { prefix } of addresses) addUp(prefix, domain, filter, false);
}
