import type { Context } from '../../host/context.ts';
import { type Fault, faultLine, faults, isRepaired } from '../../repair/faults.ts';
import { converge, countTraffic, list } from '../../repair/loop.ts';
import { settledSurvey } from '../../repair/survey.ts';

/** Repairs what is missing or changed, removes what belongs to nobody, and adds up the traffic. */
export function sync(options: { dryRun?: boolean }, context: Context): void {
  if (options.dryRun) {
    dryRun(context);
    return;
  }
  countTraffic(context);
  if (!converge(context)) process.exitCode = 1;
}

function dryRun(context: Context): void {
  const found = faults(settledSurvey(list(context), context.config(), context.host));
  for (const fault of found) context.print(`${wouldDo(fault)}: ${faultLine(fault)}`);
  if (found.length === 0) context.print('Nothing to repair');
  if (!found.every(isRepaired)) process.exitCode = 1;
}

function wouldDo(fault: Fault): string {
  if (!isRepaired(fault)) return "can't repair";
  return `would ${fault.is === 'left over' ? 'remove' : 'repair'}`;
}
