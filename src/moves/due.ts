/** When a domain's addresses follow it; pure. */
import type { Standing } from '../libvirt/connection.ts';
import type { Attachment } from '../model/attachment.ts';
import { isHere, type MoveState } from '../model/move.ts';

/** What a domain's routes become: a state's, or `here`, the usual ones. */
export type Turn = MoveState | 'here';

/** A domain whose routes are due. */
export interface Due {
  readonly attachment: Attachment;
  readonly turn: Turn;
}

/** What libvirt tells of a domain's life: `Suspended Migrated`. */
export interface LifeEvent {
  readonly domain: string;
  readonly what: string;
}

/** Older ones write the name without quotes. */
const LIFE = /^event 'lifecycle' for domain '?(.*?)'?: ([A-Z][\w -]*)$/;

/** A line of `virsh event`; undefined for one about anything else. A name may hold quotes. */
export function lifeEvent(line: string): LifeEvent | undefined {
  const [, domain, what] = LIFE.exec(line) ?? [];
  return domain === undefined || what === undefined ? undefined : { domain, what };
}

/** Told at the source whenever the copy of the memory begins anew; the first one says that a move has begun. */
const ROUND = /^event 'migration-iteration' for domain '?(.*?)'?: iteration: '1'$/;

/** The domain that a line says is being moved away. */
export const movingAway = (line: string): string | undefined => ROUND.exec(line)?.[1];

/**
 * What an event means. At the source the domain stops before its last pages are copied, and from then on its packets wait at
 * the destination. `Resumed` is told there when it goes on, and at the source where the move has failed.
 */
export function dueBy({ what }: Pick<LifeEvent, 'what'>, state: MoveState | undefined): Turn | undefined {
  if (LEAVES.test(what)) return isHere(state) ? 'leaving' : undefined;
  if (!what.startsWith('Resumed')) return undefined;
  if (state === 'incoming') return 'arrived';
  return state === 'leaving' ? 'here' : undefined;
}

/** With post-copy it goes on at the destination before its memory is there. */
const LEAVES = /^Suspended (Migrated|Post-copy)$/;

/**
 * What libvirt's answer means, where an event may have been missed.
 * @param isSettled whether it has arrived so long ago that all others know
 */
export function dueNow(
  standing: Standing,
  state: MoveState | undefined,
  isSettled: boolean,
): Turn | undefined {
  switch (standing) {
    case 'moving':
      return isHere(state) ? 'leaving' : undefined;
    case 'running':
    case 'held':
      if (state === 'incoming') return 'arrived';
      return state === 'leaving' || (state === 'arrived' && isSettled) ? 'here' : undefined;
    default:
      return undefined;
  }
}
