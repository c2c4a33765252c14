import { Refusal, reason } from '../model/refusal.ts';
import type { View } from '../model/view.ts';
import { type Action, type Batch, batches, interleave } from '../resources/action.ts';
import type { Finding, Resource } from '../resources/resource.ts';

/** What performs actions; host/host.ts is the one that does it for real. */
export interface Runner {
  /**
   * Performs one batch. `forgiving`, for taking down: absence is success, and one line's failure doesn't keep the next
   * from running.
   */
  readonly perform: (batch: Batch, forgiving: boolean) => void;
  /** Makes sure that the servers started so far run. @throws Refusal with the words of the first that doesn't */
  readonly awaitServers: () => void;
}

/** A resource and how it compares with what is. */
export interface Checked {
  readonly resource: Resource;
  readonly finding: Finding;
}

/** Whether a resource isn't as it should be. */
export const isWrong = ({ finding }: Checked): boolean => finding.is !== 'present';

/** Compares every resource with what is. Runs nothing. */
export function check(plan: readonly Resource[], view: View): Checked[] {
  return plan.map(resource => ({ resource, finding: resource.probe(view) }));
}

/**
 * Brings up, in order, what isn't present. Somebody else's thing in the way is refused before anything is
 * touched; at the first failure, what this call had made is taken down again, and what it had mended stays.
 * @returns the resources that were brought up
 * @throws Refusal with the first failure
 */
export function up(plan: readonly Resource[], view: View, runner: Runner): Checked[] {
  const checked = check(plan, view);
  for (const { resource, finding } of checked) {
    if (finding.is === 'foreign') throw new Refusal(`Cannot set up ${resource.label}: ${finding.why}`);
  }
  const needed = checked.filter(isWrong);
  const steps = needed.flatMap(({ resource }, index) => resource.up(view).map(action => ({ action, index })));
  let reached = 0;
  try {
    for (const { batch, index } of indexedBatches(steps)) {
      reached = index;
      runner.perform(batch, false);
    }
    runner.awaitServers();
  } catch (error) {
    const made = needed.slice(0, reached + 1).filter(({ finding }) => finding.is === 'absent');
    const undo = made.map(({ resource }) => resource);
    const left = down(undo, view, runner).map(failure => `; then ${failure}`);
    throw new Refusal(`${reason(error)}${left.join('')}`);
  }
  return needed;
}

/**
 * Brings up what isn't present for a domain that runs, past failures: half of its network is better than none.
 * @returns what was brought up, and what failed, a sentence each
 */
export function repair(
  plan: readonly Resource[],
  view: View,
  runner: Runner,
): { done: Checked[]; failures: string[] } {
  const failures: string[] = [];
  const done = plan.flatMap(resource => {
    try {
      return up([resource], view, runner);
    } catch (error) {
      failures.push(reason(error));
      return [];
    }
  });
  return { done, failures };
}

/** Batches the actions, remembering of each batch the last resource it touches. */
function indexedBatches(
  steps: readonly { action: Action; index: number }[],
): { batch: Batch; index: number }[] {
  let taken = 0;
  return batches(steps.map(({ action }) => action)).map(batch => {
    taken += batch.kind === 'lines' ? batch.lines.length : 1;
    return { batch, index: steps[taken - 1]?.index ?? 0 };
  });
}

/**
 * Takes everything down in reverse order, past failures.
 * @returns what failed, a sentence each; absence is no failure
 */
export function down(plan: readonly Resource[], view: View, runner: Runner): string[] {
  const actions = plan.toReversed().flatMap(resource => resource.down(view));
  const failures: string[] = [];
  for (const batch of batches(actions)) {
    try {
      runner.perform(batch, true);
    } catch (error) {
      failures.push(reason(error));
    }
  }
  return failures;
}

/**
 * Repairs what belongs to several running domains, those together whose commands are for one tool: so it takes as
 * many processes for a hundred domains as for one. Nothing is undone on a failure, for the rest is better than none.
 * @returns the resources that were brought up
 * @throws Refusal with the first failure, what comes after it not done
 */
export function mend(plans: readonly (readonly Resource[])[], view: View, runner: Runner): Checked[] {
  const needed = plans.map(plan => check(plan, view).filter(isWrong));
  const actions = needed.map(some => some.flatMap(({ resource }) => resource.up(view)));
  for (const batch of batches(interleave(actions))) runner.perform(batch, false);
  runner.awaitServers();
  return needed.flat();
}
