import { attempt } from '../../assign/attempt.ts';
import { carryOut, changing, foresee, liveAttachment, warnOfRules, warnOfSave } from '../../assign/change.ts';
import { decide, imagined, type Outcome, outcomeOf, type Plug, recordOf } from '../../assign/decision.ts';
import { inventory } from '../../assign/inventory.ts';
import { pin } from '../../assign/pin.ts';
import { recordMoved } from '../../assign/record.ts';
import { refuseReserved } from '../../assign/reserve.ts';
import { exchanging, refuseElsewhere, reservationsIn, type Shared, sharing } from '../../assign/shared.ts';
import { stateOf } from '../../assign/state.ts';
import { restoreMetadata, writeMetadata } from '../../assign/write.ts';
import type { Context } from '../../host/context.ts';
import { readNetworkWithUplinks } from '../../host/observe/view.ts';
import { type KnownDomain, type Libvirt, pick } from '../../libvirt/libvirt.ts';
import { foreseeHandover, type Handover, handOver } from '../../lifecycle/change.ts';
import { format, parsePrefix } from '../../model/address.ts';
import type { Assignment } from '../../model/assignment.ts';
import type { Attachment } from '../../model/attachment.ts';
import { type Address, isPrivate } from '../../model/bridge.ts';
import { addressesOf, addressesToKeep, amended, tapsOf } from '../../model/domain.ts';
import { renderAssignment } from '../../model/metadata.ts';
import { equal, overlaps, type Prefix } from '../../model/prefix.ts';
import { asUsage, quote, Refusal, visible } from '../../model/refusal.ts';
import { answerChange, type DryRun, showChanges } from '../changes.ts';
import { warnOfFaults } from '../in-force.ts';
import { runningShown } from '../views/domains.ts';

/** An address, the two domains, and what each of them has afterwards: the giver perhaps nothing. */
interface Move {
  readonly prefix: Prefix;
  readonly giver: KnownDomain;
  readonly taker: KnownDomain;
  readonly less: Assignment | undefined;
  readonly more: Assignment;
}

/** Hands an address from one domain to another. Where both run, the kernel's route changes hands in one step. */
export function move(text: string, from: string, to: string, options: DryRun, context: Context): void {
  const prefix = asUsage(() => parsePrefix(text), 'move');
  changing(context, libvirt =>
    sharing(context, shared =>
      moveOnce(moveOf(prefix, from, to, libvirt, shared, context), libvirt, shared, options, context),
    ),
  );
}

function moveOnce(
  move: Move,
  libvirt: Libvirt,
  shared: Shared | undefined,
  options: DryRun,
  context: Context,
): void {
  const { prefix, giver, taker, less, more } = move;
  const outcomes = options.dryRun
    ? foreseeMove(libvirt, move, context)
    : exchanging(
        shared,
        taker,
        more.addresses,
        context,
        () => perform(libvirt, move, context),
        done => done.map(({ after }) => after),
      );
  answerMove(prefix, outcomes, options, context);
  warnOfRules(giver, less?.addresses ?? [], context);
  if (options.dryRun)
    showChanges(
      outcomes.flatMap(({ changes }) => changes),
      context,
    );
  else {
    recordMoved(prefix, giver, taker, context);
    tellMoved(move, context);
    const both = outcomes.map(({ after }) => after);
    warnOfFaults(runningShown(both, context), context);
  }
}

function tellMoved({ prefix, giver, taker, more }: Move, context: Context): void {
  const names = `from ${visible(giver.domain.name)} to ${visible(taker.domain.name)}`;
  const bridge = more.addresses.find(one => equal(one.prefix, prefix))?.bridge;
  context.print(`${format(prefix)} moved ${names}, on ${bridge}`);
}

function moveOf(
  prefix: Prefix,
  from: string,
  to: string,
  libvirt: Libvirt,
  shared: Shared | undefined,
  context: Context,
): Move {
  const config = context.config();
  const domains = libvirt.domains();
  const [giver, taker] = [pick(domains, from), pick(domains, to)];
  for (const { domain } of [giver, taker]) refuseElsewhere('move an address of', domain, shared);
  const rest = restOf(giver, taker, prefix);
  refuseReserved('move', [prefix], taker.domain, reservationsIn(shared));
  const held = addressesToKeep(taker.next, 'move an address to');
  const taken = inventory(domains, readNetworkWithUplinks(context.host, config), config, shared?.seen);
  const gained = pin(prefix, config.dhcp.scopes, taken, held[0]);
  const less = rest.length === 0 ? undefined : amended(giver.next, { addresses: rest });
  const more = amended(taker.next, { addresses: [...held, gained] });
  return { prefix, giver, taker, less, more };
}

/** What came of the giver, and of the taker. */
type Outcomes = readonly [Outcome, Outcome];

function answerMove(prefix: Prefix, [giver, taker]: Outcomes, options: DryRun, context: Context): void {
  const party = ({ before: { domain } }: Outcome) => ({ domain: domain.name, uuid: domain.uuid });
  answerChange(
    { address: format(prefix), from: party(giver), to: party(taker) },
    {
      before: { from: stateOf(giver.before), to: stateOf(taker.before) },
      after: { from: stateOf(giver.after), to: stateOf(taker.after) },
      changes: [...giver.changes, ...taker.changes],
    },
    options,
    context,
  );
}

function restOf(giver: KnownDomain, taker: KnownDomain, prefix: Prefix): Address[] {
  const { uuid, name } = giver.domain;
  const fail = (why: string): never => {
    throw new Refusal(`Cannot move ${format(prefix)}: ${why}`);
  };
  if (uuid === taker.domain.uuid) fail(`it would go from ${quote(name)} to itself`);
  const held = addressesOf(giver.next);
  const found = held.find(one => equal(one.prefix, prefix));
  if (found?.via !== undefined)
    fail(`it is routed via ${format(found.via)}; unassign it, and assign it with --via to the other`);
  if (found !== undefined && isPrivate(found))
    fail(
      'it is a private address, which stays with its bridge; hnet assign --private gives one to the other',
    );
  if (found !== undefined) return held.filter(one => !equal(one.prefix, prefix));
  const around = held.find(one => overlaps(one.prefix, prefix));
  if (around !== undefined)
    fail(`${quote(name)} holds it as part of ${format(around.prefix)}, which moves as a whole`);
  return fail(`${quote(name)} holds ${held.map(one => format(one.prefix)).join(', ') || 'nothing'}`);
}

function perform(libvirt: Libvirt, move: Move, context: Context): Outcomes {
  const { prefix, giver, taker, less, more } = move;
  const [giving, taking] = [recordOf(giver), recordOf(taker)];
  if (taking === undefined || !giving?.addresses.some(one => equal(one.prefix, prefix)))
    return stepByStep(libvirt, move, context);
  const repaired = attempt(
    () => {
      writeMetadata(libvirt, giver, less && renderAssignment(less));
      writeMetadata(libvirt, taker, renderAssignment(more));
      return handOver(handoverOf(move, giving, taking, context), context.config(), context.host);
    },
    () => {
      restoreMetadata(libvirt, taker);
      restoreMetadata(libvirt, giver);
    },
  );
  for (const known of [giver, taker]) warnOfSave(libvirt, known, context);
  return [
    outcomeOf(giver, libvirt.known(giver.domain.uuid), []),
    outcomeOf(taker, libvirt.known(taker.domain.uuid), repaired),
  ];
}

const handoverOf = (
  { prefix, taker, more }: Move,
  giver: Attachment,
  taking: Attachment | undefined,
  context: Context,
): Handover => ({
  prefix,
  giver,
  taker: taking,
  after: liveAttachment(taker.domain, more, context),
  taps: tapsOf(taker.domain),
});

/** When one of the two isn't running: first the giver loses the address, then the taker gets it. */
function stepByStep(libvirt: Libvirt, { giver, taker, less, more }: Move, context: Context): Outcomes {
  const given = carryOut(libvirt, decide(giver, less), context);
  const before = amended(giver.next, {});
  const taken = attempt(
    () => carryOut(libvirt, decide(taker, more, plugsOf(more)), context),
    () => carryOut(libvirt, decide(libvirt.known(giver.domain.uuid), before), context),
  );
  return [given, taken];
}

/** Whoever had no address has no interface on its bridge either. */
function plugsOf({ addresses: [first, ...others] }: Assignment): Plug[] {
  return first && others.length === 0 ? [{ bridge: first.bridge, mac: undefined }] : [];
}

/** As {@link perform}, and nothing is changed. */
function foreseeMove(libvirt: Libvirt, move: Move, context: Context): Outcomes {
  const { giver, taker, less, more } = move;
  const [giving, taking] = [recordOf(giver), recordOf(taker)];
  const [lesser, greater] = [decide(giver, less), decide(taker, more, plugsOf(more))];
  // A taker that runs would be refused an address that the giver still has.
  if (giving === undefined || !taker.active)
    return [foresee(libvirt, lesser, context), foresee(libvirt, greater, context)];
  const handover = handoverOf(move, giving, taking, context);
  const repaired = foreseeHandover(handover, context.config(), context.host);
  for (const known of [giver, taker]) warnOfSave(libvirt, known, context);
  return [outcomeOf(giver, imagined(lesser), []), outcomeOf(taker, imagined(greater), repaired)];
}
