import type { Outcome } from '../assign/decision.ts';
import { stateOf } from '../assign/state.ts';
import type { Context } from '../host/context.ts';
import { type Difference, differenceLine } from '../model/difference.ts';

/** Whether a command only says what it would do. */
export interface DryRun {
  readonly dryRun?: boolean;
}

/** A change as programs are told of it. */
interface Told {
  readonly before: object;
  readonly after: object;
  readonly changes: readonly Difference[];
}

/** Answers programs what a change did, or would do. @param about what was changed */
export function answerChange(
  about: object,
  { before, after, changes }: Told,
  { dryRun = false }: DryRun,
  { answer }: Pick<Context, 'answer'>,
): void {
  answer({ ...about, dryRun, changed: changes.length > 0, before, after, changes });
}

/** Shows people what a change would do. */
export function showChanges(changes: readonly Difference[], { print }: Pick<Context, 'print'>): void {
  for (const one of changes) print(differenceLine(one));
  if (changes.length === 0) print('Nothing to change');
}

/** Answers what a change of one domain did, or would do, and shows the latter. */
export function answerOutcome(
  { before, after, changes }: Outcome,
  options: DryRun,
  context: Pick<Context, 'answer' | 'print'>,
): void {
  if (options.dryRun) showChanges(changes, context);
  const { name: domain, uuid } = before.domain;
  answerChange(
    { domain, uuid },
    { before: stateOf(before), after: stateOf(after), changes },
    options,
    context,
  );
}
