import type { Context } from '../../host/context.ts';
import { waitFor } from '../../host/wait.ts';
import { differenceLine } from '../../model/difference.ts';
import { CONFIG_FILE } from '../../model/names.ts';
import { withoutLibvirt } from '../../repair/confirm.ts';
import { countTraffic } from '../../repair/count-traffic.ts';
import { faultLine, faults, repairable, repairOf } from '../../repair/faults.ts';
import { listRunning } from '../../repair/listing.ts';
import { type Converged, converge } from '../../repair/loop.ts';
import { NOTED_WITHIN, Unnoted } from '../../repair/notice.ts';
import { settledSurvey } from '../../repair/survey.ts';
import { endTrial, tryOut } from '../../repair/trial.ts';
import { answerChange, type DryRun } from '../changes.ts';
import { EXIT } from '../exit-codes.ts';

interface SyncOptions extends DryRun {
  /** Only what trial.ts says. */
  readonly endTrial?: boolean;
}

/** Repairs what is missing or changed, removes what belongs to nobody, and adds up the traffic. */
export function sync(options: SyncOptions, context: Context): void {
  if (options.endTrial) endTrial(context, one => converge(one).isGood);
  else if (options.dryRun) dryRun(context);
  else repair(context);
}

function repair(context: Context): void {
  countTraffic(context);
  // A terminal, or a connection of SSH: whoever sits there must not be cut off.
  const isAttended = process.stdin.isTTY === true || process.env['SSH_CONNECTION'] !== undefined;
  const all: Converged[] = [];
  const convergeOnce = (one: Context): boolean => {
    all.push(converge(one));
    return all.at(-1)?.isGood === true;
  };
  const isGood = tryOut(context, convergeOnce, isAttended);
  answer(all, isGood, {}, context);
  if (!isGood) process.exitCode = EXIT.failed;
  const unnoted = new Unnoted();
  if (!unnoted.look(context.host, context.warn)) return;
  waitFor(() => false, NOTED_WITHIN);
  unnoted.look(context.host, context.warn);
}

function dryRun(context: Context): void {
  const listing = listRunning();
  if (listing.why !== undefined) context.warn(withoutLibvirt(listing.why));
  const before = faults(settledSurvey(listing, context.config(), context.host));
  const repaired = repairable(before);
  const after = before.filter(fault => !repaired.includes(fault));
  answer([{ before, after, changes: repaired.map(repairOf) }], after.length === 0, { dryRun: true }, context);
  for (const fault of repaired) context.print(differenceLine(repairOf(fault)));
  if (before.length === 0) context.print('Nothing to repair');
  for (const fault of after) context.print(`! ${faultLine(fault)}: hnet can't repair it`);
  if (after.length > 0) process.exitCode = EXIT.failed;
}

type Looks = Omit<Converged, 'isGood'>;

/** Where a new configuration was taken back there are two repairs: what was wrong before the first, and is after the last. */
function answer(all: readonly Looks[], isGood: boolean, options: DryRun, context: Context): void {
  const left = all.at(-1)?.after ?? [];
  const error =
    left.length > 0
      ? `Cannot bring everything to what it should be: ${left.length} faults are left, see "after" and "warnings"`
      : `Cannot keep ${CONFIG_FILE} in force: see "warnings"`;
  answerChange(
    isGood ? {} : { error },
    {
      before: { faults: all[0]?.before ?? [] },
      after: { faults: left },
      changes: all.flatMap(({ changes }) => changes),
    },
    options,
    context,
  );
}
