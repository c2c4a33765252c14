/** Asks libvirt which domains' routes are due. */
import { waitFor } from '../host/wait.ts';
import { withLibvirt } from '../libvirt/libvirt.ts';
import type { Attachment } from '../model/attachment.ts';
import type { Config } from '../model/config.ts';
import { ifPossible } from '../model/refusal.ts';
import { writtenAt } from '../state/attachment-files.ts';
import { readAttachments } from '../state/records.ts';
import { type Due, dueNow } from './due.ts';

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

/** How long the follower, which takes some ten milliseconds, may take to turn what is due, in milliseconds. */
const FOLLOWED = 1_000;

/**
 * What is due and is still due a second later: the follower may be turning it just now. It asks libvirt, so never call it while a
 * lock is held.
 * None where this host is alone, or libvirt doesn't answer, which is told anyway.
 */
export function dueHere({ cluster }: Pick<Config, 'cluster'>): readonly Due[] {
  if (cluster === undefined) return [];
  const now = (): readonly Due[] => ifPossible(() => dueOf(onTheirWay(), cluster.settle)) ?? [];
  if (now().length === 0) return [];
  waitFor(() => false, FOLLOWED);
  return now();
}

export const onTheirWay = () => readAttachments().filter(({ state }) => state !== undefined);
