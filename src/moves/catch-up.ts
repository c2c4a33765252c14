/** Turns what nobody has turned when it was due: without the follower, or while libvirt or it was down. */
import type { Host } from '../host/host.ts';
import { withLock } from '../host/lock.ts';
import { Refusal, reason } from '../model/refusal.ts';
import { readableAttachment } from '../state/attachment-store.ts';
import type { Due } from './due.ts';
import { turn } from './turn.ts';

/** What is done with what was turned, as it is now, and who is told of trouble. */
export interface Afterwards {
  readonly turned: (done: Due) => void;
  /** Told what keeps nothing from being done. */
  readonly warn: (why: string) => void;
  /** Told why a domain wasn't turned, or what must follow wasn't done. The others are turned all the same. */
  readonly failed: (domain: string, why: string) => void;
}

/**
 * Turns what was due a moment ago, and is still. The lock keeps a release out, which would leave an attachment behind.
 * @returns what was turned
 * @throws Refusal if the lock isn't to be had in the host's time
 */
export const turnAll = (due: readonly Due[], host: Host, afterwards: Afterwards): Due[] =>
  due.length === 0
    ? []
    : withLock('sync', 'exclusive', host, () => due.filter(one => turnOne(one, host, afterwards)));

function turnOne({ attachment, turn: to }: Due, host: Host, { turned, warn, failed }: Afterwards): boolean {
  try {
    const now = readableAttachment(attachment.domain);
    if (now === undefined || now.state !== attachment.state) return false;
    turned({ attachment: turn(now, to, host, warn), turn: to });
    return true;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    failed(attachment.name, reason(error));
    return false;
  }
}
