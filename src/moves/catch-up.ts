/** Turns what nobody has turned when it was due: without the follower, or while libvirt or it was down. */
import type { Host } from '../host/host.ts';
import { withLock } from '../host/lock.ts';
import { readableAttachment } from '../state/attachment-store.ts';
import type { Due } from './due.ts';
import { turn } from './turn.ts';

/**
 * Turns what was due a moment ago, and is still. The lock keeps a release out, which would leave an attachment behind.
 * @param then given what was turned, as it is now
 * @returns what was turned
 * @throws Refusal if the lock isn't to be had in the host's time
 */
export const turnAll = (due: readonly Due[], host: Host, then: (done: Due) => void): Due[] =>
  due.length === 0
    ? []
    : withLock('sync', 'exclusive', host, () =>
        due.filter(one => {
          const now = readableAttachment(one.attachment.domain);
          if (now === undefined || now.state !== one.attachment.state) return false;
          const after = turn(now, one.turn, host);
          then({ attachment: after, turn: one.turn });
          return true;
        }),
      );
