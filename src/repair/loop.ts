/** Repairs until there is nothing left to repair: what `hnet sync` does once, and the daemon again and again. */

import type { Context } from '../host/context.ts';
import type { Host } from '../host/host.ts';
import { withLock } from '../host/lock.ts';
import { toAttachment } from '../lifecycle/admission.ts';
import { change } from '../lifecycle/change.ts';
import { presumed } from '../lifecycle/in-force.ts';
import { keepScript } from '../lifecycle/release-script.ts';
import { stop } from '../lifecycle/stop.ts';
import { attachmentTitle } from '../model/attachment.ts';
import type { Difference } from '../model/difference.ts';
import { tapsOf } from '../model/domain.ts';
import { ifPossible, quote, Refusal, reason } from '../model/refusal.ts';
import { wireFor } from '../model/uplink.ts';
import { turnAll } from '../moves/catch-up.ts';
import { countNow } from '../moves/count.ts';
import type { Due, Turn } from '../moves/due.ts';
import { dueOf, onTheirWay } from '../moves/due-here.ts';
import type { Checked } from '../plan/walker.ts';
import { hostRoute } from '../resources/route.ts';
import {
  beyondRepair,
  type Claim,
  comeMeanwhile,
  openOf,
  seenDone,
  stillOpen,
  toDifference,
} from './confirm.ts';
import type { Fault } from './fault.ts';
import { faults, knownFaults } from './faults.ts';
import { needsRepair, type Survey } from './findings.ts';
import { type Listing, listRunning, withMoving } from './listing.ts';
import {
  aboutDomain,
  assignmentOfDomain,
  isSameMatter,
  type Matter,
  matterOf,
  type Report,
  routesOf,
} from './matter.ts';
import { repairAll } from './mend.ts';
import { settledSurvey, settledVerdicts, survey, withLibvirtsWord } from './survey.ts';

/** A domain may end while it is repaired: then the host is looked at, and repaired, again. */
const PASSES = 3;
/** A repair may fail because another domain has the address by now. */
const TRIES = 2;

/** What came of it. */
export interface Converged {
  /** Whether everything is as it should be now; false too where that couldn't be looked at. */
  readonly isGood: boolean;
  /** What was wrong at the first look, and what is at the last. */
  readonly before: readonly Fault[];
  readonly after: readonly Fault[];
  /** What was done, and seen to be done. */
  readonly changes: readonly Difference[];
}

/** What leaves some of the base for later: contests.ts. */
interface Patience {
  readonly waits: (checked: Checked) => boolean;
  readonly mended: (base: readonly Checked[]) => void;
  /** Told in place of the operator what was done. */
  readonly said: (line: string, about: Matter) => void;
}

/**
 * Brings base and running domains to what they should be, in the backend that the configuration chooses, and removes what
 * belongs to nobody. On a host in order it changes nothing. It says what it did once a further look has shown it: a
 * command that succeeds may have done nothing.
 * @param patience where it repairs again and again; then it may be that another program has moved things again by now
 */
export function converge(context: Context, patience?: Patience): Converged {
  let claims: Claim[] = [];
  const before: Fault[] = [];
  const changes: Difference[] = [];
  const isPatient = patience !== undefined;
  const tell = (done: readonly Claim[]): Difference[] => {
    for (const { line, about } of done) (patience?.said ?? context.print)(line, about);
    return done.map(toDifference);
  };
  for (let pass = 1; ; pass++) {
    const failures: string[] = [];
    const made: Omit<Claim, 'was'>[] = [];
    const report: Report = {
      done: (line, about, parts = []) => void made.push({ line, about, parts }),
      failed: line => void failures.push(line),
    };
    // No assignment changes between the look and the repair, or the repair would undo the change.
    const found = withLock('assignments', 'exclusive', context.host, () =>
      onePass(report, patience, context),
    );
    const seen = knownFaults(found);
    if (pass === 1) before.push(...faults(found));
    changes.push(...tell(seenDone(claims, found, isPatient)));
    const earlier = claims;
    claims = made.map(one => ({ ...one, was: seen.find(fault => isSameMatter(one.about, fault)) }));
    if (pass < (failures.length > 0 ? TRIES : PASSES) && needsRepair(found)) continue;
    const last = claims.length > 0 ? settledSurvey(listRunning(), context.config(), context.host) : found;
    changes.push(...tell(seenDone(claims, last, isPatient)));
    const open = openOf(claims, last, isPatient);
    failures.push(...open.flatMap(fault => stillOpen(fault, earlier, isPatient)));
    // What a command failed at has been said; a look that finds something else finds what came meanwhile.
    const isNew = !isPatient && failures.length === 0;
    const left = [...beyondRepair(last), ...failures, ...(isNew ? comeMeanwhile(last) : [])];
    for (const line of left) context.warn(line);
    return { isGood: left.length === 0 && open.length === 0, before, after: faults(last), changes };
  }
}

function onePass(report: Report, patience: Patience | undefined, context: Context): Survey {
  const { host, progress } = context;
  const config = context.config();
  // Beside the daemon the follower does that.
  if (config.cluster !== undefined && patience === undefined) catchUp(config.cluster.settle, report, context);
  progress('asking libvirt which domains run');
  const listing = listRunning();
  const look = (listing: Listing): Survey => {
    progress(`looking at the host and at ${countOf(listing)} domains`);
    const seen = survey(listing, config, host);
    return { ...seen, base: seen.base.filter(one => patience?.waits(one) !== true) };
  };
  const found = look(listing);
  if (!needsRepair(found)) return withLibvirtsWord(settledVerdicts(found, host), config);
  const lost = config.cluster === undefined ? [] : found.lost.map(({ domain }) => domain);
  const known = withMoving(listing, lost);
  const settled = withLock('sync', 'exclusive', host, () => {
    const again = look(known);
    progress('repairing what is not as it should be');
    repairAll(again, host, report);
    patience?.mended(again.base);
    return again;
  });
  for (const one of settled.changed) follow(one, settled, report, host);
  return withLibvirtsWord(settled, config);
}

/** Turns the routes of domains whose move nobody has followed. */
export function catchUp(
  settle: number,
  report: Report,
  { host, warn }: Pick<Context, 'host' | 'warn'>,
): void {
  const turned = ({ attachment, turn }: Due): void => {
    if (turn === 'here') keepScript(attachment);
    if (turn === 'leaving') countNow(attachment, host);
  };
  const failed = (name: string, why: string): void => report.failed(`${quote(name)}: ${why}`);
  // A host without libvirt says so anyway.
  const due = ifPossible(() => dueOf(onTheirWay(), settle)) ?? [];
  for (const { attachment, turn } of turnAll(due, host, { turned, warn, failed })) {
    const about = { domain: attachment.name, uuid: attachment.domain };
    // The attachment says it whatever became of the routes.
    const routes = attachment.addresses.map(one => matterOf(about, hostRoute(one)));
    report.done(`turned: ${attachmentTitle(attachment)} (${TURNED[turn]})`, routesOf(about), routes);
  }
}

const TURNED: Readonly<Record<Turn, string>> = {
  incoming: 'it comes from another host',
  leaving: 'it is on its way to another host',
  arrived: 'it has come from another host',
  here: 'it is here',
};

const countOf = ({ running }: Listing): number => running?.size ?? 0;

/** A running domain whose metadata was changed gets what it says now. */
function follow(
  { domain, assignment, by }: Survey['changed'][number],
  { config, firewall, uplinks }: Survey,
  report: Report,
  host: Host,
): void {
  const about = assignmentOfDomain(aboutDomain(domain));
  try {
    if (assignment === undefined) {
      const gone = stop(domain, host, () => presumed(() => config, host));
      if (gone !== undefined)
        report.done(`removed: ${attachmentTitle(gone)} (its assignment was taken away)`, about);
      return;
    }
    const next = toAttachment(domain, assignment, firewall.name, one => wireFor(one, uplinks));
    change(next, tapsOf(domain), config, host);
    const what = by === 'metadata' ? 'its assignment' : 'hnet.toml';
    report.done(`changed: ${attachmentTitle(next)} (${what} has changed)`, about);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    report.failed(`${quote(domain.name)}: ${reason(error)}`);
  }
}
