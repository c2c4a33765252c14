import type { Context } from '../../host/context.ts';
import { waitFor } from '../../host/wait.ts';
import type { Fault } from '../../repair/fault.ts';
import { faultLine, faults, isRepaired } from '../../repair/faults.ts';
import { listRunning } from '../../repair/listing.ts';
import { converge, countTraffic, withoutLibvirt } from '../../repair/loop.ts';
import { NOTED_WITHIN, Unnoted } from '../../repair/notice.ts';
import { settledSurvey } from '../../repair/survey.ts';
import { endTrial, tryOut } from '../../repair/trial.ts';

/** Repairs what is missing or changed, removes what belongs to nobody, and adds up the traffic. @param options `endTrial`: only what trial.ts says */
export function sync(options: { dryRun?: boolean; endTrial?: boolean }, context: Context): void {
  if (options.endTrial) {
    endTrial(context, converge);
    return;
  }
  if (options.dryRun) {
    dryRun(context);
    return;
  }
  countTraffic(context);
  // A terminal, or a connection of SSH: whoever sits there must not be cut off.
  const isAttended = process.stdin.isTTY === true || process.env['SSH_CONNECTION'] !== undefined;
  if (!tryOut(context, converge, isAttended)) process.exitCode = 1;
  const unnoted = new Unnoted();
  if (!unnoted.look(context.host, context.warn)) return;
  waitFor(() => false, NOTED_WITHIN);
  unnoted.look(context.host, context.warn);
}

function dryRun(context: Context): void {
  const listing = listRunning();
  if (listing.why !== undefined) context.warn(withoutLibvirt(listing.why));
  const found = faults(settledSurvey(listing, context.config(), context.host));
  for (const fault of found) context.print(`${wouldDo(fault)}: ${faultLine(fault)}`);
  if (found.length === 0) context.print('Nothing to repair');
  if (!found.every(isRepaired)) process.exitCode = 1;
}

function wouldDo(fault: Fault): string {
  if (!isRepaired(fault)) return "can't repair";
  return `would ${fault.is === 'left over' ? 'remove' : 'repair'}`;
}
