/** Finds what nobody has turned when it was due: without the follower, or while libvirt or it was down. */
import type { Host } from '../host/host.ts';
import { withLock } from '../host/lock.ts';
import { withLibvirt } from '../libvirt/libvirt.ts';
import type { Attachment } from '../model/attachment.ts';
import { writtenAt } from '../state/attachment-files.ts';
import { readableAttachment } from '../state/attachment-store.ts';
import { dueNow, type Turn } from './due.ts';
import { turn } from './turn.ts';

/** A domain whose routes are due. */
export interface Due {
  readonly attachment: Attachment;
  readonly turn: Turn;
}

/**
 * Asks libvirt about domains; never while a lock is held, for libvirt may wait for a hook that waits for it.
 * @param settle how long a domain counts as just arrived, in seconds
 * @throws Refusal if libvirt doesn't answer
 */
export function dueOf(attachments: readonly Attachment[], settle: number, now = Date.now()): Due[] {
  if (attachments.length === 0) return [];
  return withLibvirt(({ connection }) =>
    attachments.flatMap(attachment => {
      const { domain, state } = attachment;
      const isSettled = now - (writtenAt(domain) ?? now) >= settle * 1000;
      const due = dueNow(connection.standing(domain), state, isSettled);
      return due === undefined ? [] : [{ attachment, turn: due }];
    }),
  );
}

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
