import { Refusal, reason } from '../model/refusal.ts';
import type { View } from '../model/view.ts';
import { type Action, type Batch, batches, interleave } from '../resources/action.ts';
import { type Finding, isWrong, type Resource } from '../resources/resource.ts';

/** What performs actions: host/host.ts. */
interface Runner {
  /** Performs one batch. `forgiving`, for taking down: absence is success, and lines after one that fails run too. */
  readonly perform: (batch: Batch, forgiving: boolean) => void;
  /** Waits for the servers started so far. @throws Refusal with the words of the first that doesn't run */
  readonly awaitServers: () => void;
}

/** A resource and how it compares with what is. */
export interface Checked {
  readonly resource: Resource;
  readonly finding: Finding;
}

/** Compares every resource with what is. Runs nothing. */
export function check(plan: readonly Resource[], view: View): Checked[] {
  return plan.map(resource => ({ resource, finding: resource.probe(view) }));
}

/** @throws Refusal if somebody else's thing stands in the place of one of them */
export function refuseForeign(checked: readonly Checked[]): void {
  for (const { resource, finding } of checked)
    if (finding.is === 'foreign') throw new Refusal(`Cannot set up ${resource.label}: ${finding.why}`);
}

/**
 * Brings up, in order, what isn't present, and returns it. Refuses somebody else's thing in the way before it touches
 * anything. At the first failure it takes down what it has made, but not what it has mended.
 * @throws Refusal with the first failure
 */
export function up(plan: readonly Resource[], view: View, runner: Runner): Checked[] {
  const checked = check(plan, view);
  refuseForeign(checked);
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
    const left = down(
      made.map(one => one.resource),
      view,
      runner,
    );
    throw new Refusal([reason(error), ...left].join('; then '));
  }
  return needed;
}

/**
 * Brings up what isn't present for a domain that runs, past failures: half of its network is better than none.
 * @returns what was brought up, and what failed, a sentence each
 */
export function repair(plan: readonly Resource[], view: View, runner: Runner) {
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
function indexedBatches(steps: readonly { action: Action; index: number }[]) {
  let taken = 0;
  return batches(steps.map(({ action }) => action)).map(batch => {
    taken += batch.kind === 'lines' ? batch.lines.length : 1;
    return { batch, index: steps[taken - 1]?.index ?? 0 };
  });
}

/** Takes everything down in reverse order, past failures. @returns what failed, a sentence each */
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
 * Brings up what isn't present for several running domains, with as many processes as for one, and returns it. Undoes
 * nothing on a failure: a part is better than nothing.
 * @throws Refusal with the first failure; what comes after it isn't done
 */
export function mend(plans: readonly (readonly Resource[])[], view: View, runner: Runner): Checked[] {
  const needed = plans.map(plan => check(plan, view).filter(isWrong));
  const actions = needed.map(some => some.flatMap(({ resource }) => resource.up(view)));
  for (const batch of batches(interleave(actions))) runner.perform(batch, false);
  runner.awaitServers();
  return needed.flat();
}
