/** Turns a domain's routes as it moves between hosts. Until then its packets go to the wrong host, so a moment counts. */
import { type Attachment, renderAttachment } from '../model/attachment.ts';
import type { Happening } from '../model/journal.ts';
import { isHere, type MoveState } from '../model/move.ts';
import { Refusal, reason } from '../model/refusal.ts';
import { EMPTY_VIEW } from '../model/view.ts';
import { neighbours } from '../plan/plan.ts';
import { type Action, type Batch, batches, interleave } from '../resources/action.ts';
import { turnRoute } from '../resources/route.ts';
import { rewriteAttachment } from '../state/attachment-store.ts';
import { factsOf, note } from '../state/journal.ts';
import type { Turn } from './due.ts';

/** How the journal calls it. */
const NAMES: Readonly<
  Record<
    Turn,
    (before: MoveState | undefined) => Exclude<Happening, 'assign' | 'unassign' | 'move'> | undefined
  >
> = {
  incoming: () => undefined,
  leaving: () => 'leaves',
  arrived: () => 'arrives',
  here: before => (before === 'leaving' ? 'stays' : undefined),
};

/** What performs a batch of actions, past what is to be removed and isn't there: host/host.ts, or what does it in the background. */
export interface Performer {
  readonly perform: (batch: Batch, forgiving: true) => void;
}

/**
 * It writes the attachment first, so that a repair at the same time wants the same; then it changes the routes, and who answers for
 * the addresses. It takes no lock: its holder may take seconds, and the domain would get no packets meanwhile.
 * @param warn told why the journal can't be written, which keeps nothing from being done
 * @returns the attachment as it is now
 * @throws Refusal with what failed; the rest is done
 */
export function turn(
  before: Attachment,
  to: Turn,
  performer: Performer,
  warn: (why: string) => void,
): Attachment {
  const after = inState(before, to);
  rewriteAttachment(after);
  const failures = batches(actionsOf(before, after)).flatMap(batch => {
    try {
      performer.perform(batch, true);
      return [];
    } catch (error) {
      return [reason(error)];
    }
  });
  const is = NAMES[to](before.state);
  const failure = is && note(factsOf(is, { ...after, uuid: after.domain }));
  if (failure !== undefined) warn(failure);
  if (failures.length > 0) throw new Refusal(failures.join('; '));
  return after;
}

/** Runs the same code without effect: code that has run before takes a tenth of the time. */
export function rehearse(before: Attachment): void {
  const after = inState(before, isHere(before.state) ? 'leaving' : 'arrived');
  renderAttachment(after);
  batches(actionsOf(before, after));
}

function inState({ state: _, ...rest }: Attachment, to: Turn): Attachment {
  return to === 'here' ? rest : { ...rest, state: to };
}

function actionsOf(before: Attachment, after: Attachment): Action[] {
  const [old, now] = [neighbours(before), neighbours(after)];
  const only = (these: typeof old, others: typeof old) =>
    these.filter(({ key }) => !others.some(one => one.key === key));
  return [
    ...after.addresses.flatMap(one => turnRoute(one, after.state)),
    ...only(old, now).flatMap(one => one.down(EMPTY_VIEW)),
    ...interleave(only(now, old).map(one => one.up(EMPTY_VIEW))),
  ];
}
