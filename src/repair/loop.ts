/** Repairs until there is nothing left to repair: what `hnet sync` does once, and the daemon again and again. */

import { firewallOf } from '../host/choose-backend.ts';
import type { Context } from '../host/context.ts';
import type { Host } from '../host/host.ts';
import { withLock } from '../host/lock.ts';
import { look } from '../host/observe/parts.ts';
import { toAttachment } from '../lifecycle/admission.ts';
import { change } from '../lifecycle/change.ts';
import { presumed } from '../lifecycle/in-force.ts';
import { keepScript } from '../lifecycle/release-script.ts';
import { stop } from '../lifecycle/stop.ts';
import { type Attachment, attachmentTitle } from '../model/attachment.ts';
import { BACKENDS } from '../model/config.ts';
import type { Difference } from '../model/difference.ts';
import { tapsOf } from '../model/domain.ts';
import { ifPossible, quote, Refusal, reason } from '../model/refusal.ts';
import { wireFor } from '../model/uplink.ts';
import { type Due, dueOf, turnAll } from '../moves/catch-up.ts';
import { countNow } from '../moves/count.ts';
import type { Turn } from '../moves/due.ts';
import type { Checked } from '../plan/walker.ts';
import { addUp } from '../state/ledger.ts';
import { readAttachments } from '../state/records.ts';
import type { Fault } from './fault.ts';
import { faultLine, faults, repairOf } from './faults.ts';
import { needsRepair, type Survey } from './findings.ts';
import { type Listing, listRunning } from './listing.ts';
import { type Matter, type Report, repairAll } from './mend.ts';
import { settledSurvey, settledVerdicts, stillUnplugged, survey } from './survey.ts';
import { unservedLines } from './unserved-lines.ts';

/** A domain may end while it is repaired: then the host is looked at, and repaired, again. */
const PASSES = 3;
/** A repair may fail because another domain has the address by now. */
const TRIES = 2;

/** What a repair says that it did, and what that is about. */
interface Claim {
  readonly line: string;
  readonly about: Matter;
  /** The fault that it repaired. */
  readonly was: Fault | undefined;
}

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

const withoutPlaces = (found: Survey): Survey => ({
  ...found,
  base: found.base.filter(({ finding }) => !('mayWait' in finding)),
});

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
  for (let pass = 1; ; pass++) {
    const failures: string[] = [];
    const made: Pick<Claim, 'line' | 'about'>[] = [];
    const report: Report = {
      done: (line, about) => void made.push({ line, about }),
      failed: line => void failures.push(line),
    };
    // No assignment changes between the look and the repair, or the repair would undo the change.
    const found = withLock('assignments', 'exclusive', context.host, () =>
      onePass(report, patience, context),
    );
    const seen = faults(found);
    if (pass === 1) before.push(...seen);
    changes.push(...confirm(claims, found, patience, context).map(toDifference));
    const earlier = claims;
    claims = made.map(one => ({ ...one, was: seen.find(fault => isAbout(one.about, fault)) }));
    if (pass < (failures.length > 0 ? TRIES : PASSES) && needsRepair(found)) continue;
    const last = claims.length > 0 ? settledSurvey(listRunning(), context.config(), context.host) : found;
    changes.push(...confirm(claims, last, patience, context).map(toDifference));
    const open = openOf(claims, last, patience);
    failures.push(...open.flatMap(fault => stillOpen(fault, earlier, patience)));
    const left = [...beyondRepair(found), ...failures];
    for (const line of left) context.warn(line);
    return { isGood: left.length === 0 && open.length === 0, before, after: faults(last), changes };
  }
}

/** What no repair mends, or couldn't look at, a sentence each. */
const beyondRepair = ({ unasked, unclear, unplugged, unserved }: Survey): string[] => [
  ...(unasked === undefined ? [] : [withoutLibvirt(unasked)]),
  ...unclear.map(({ name, why }) => `${quote(name)}: ${why}`),
  ...unplugged.map(({ attachment, why }) => `${quote(attachment.name)}: ${why}`),
  ...unservedLines(unserved),
];

/** Tells what was done and isn't a fault any more, and returns it. */
function confirm(
  claims: readonly Claim[],
  found: Survey,
  patience: Patience | undefined,
  { print }: Pick<Context, 'print'>,
): Claim[] {
  const open = openOf(claims, found, patience);
  const done = claims.filter(({ about }) => !open.some(fault => isAbout(about, fault)));
  for (const { line, about } of done) (patience?.said ?? print)(line, about);
  return done;
}

/** What still is a fault though it was repaired. */
const openOf = (claims: readonly Claim[], found: Survey, patience: Patience | undefined): Fault[] =>
  faults(patience === undefined ? found : withoutPlaces(found)).filter(fault =>
    claims.some(({ about }) => isAbout(about, fault)),
  );

const toDifference = ({ was, about }: Claim): Difference =>
  was === undefined ? { is: 'changed', ...about } : repairOf(was);

const isAbout = ({ domain, what }: Matter, fault: Fault): boolean =>
  fault.domain === domain && fault.what === what;

/** What only the last pass met may have come again. Whoever repairs again and again sees to it next time, in silence. */
function stillOpen(fault: Fault, earlier: readonly Claim[], patience: Patience | undefined): string[] {
  const isOld = earlier.some(({ about }) => isAbout(about, fault));
  if (!isOld && patience !== undefined) return [];
  return [`Cannot repair ${faultLine(fault)}: ${isOld ? AS_IT_WAS : AGAIN}`];
}

const AS_IT_WAS = 'no command failed, and it is as it was; see hnet --trace sync';
const AGAIN = 'it has come again; repeat hnet sync';

function onePass(report: Report, patience: Patience | undefined, context: Context): Survey {
  const { host, progress } = context;
  const config = context.config();
  // Beside the daemon the follower does that.
  if (config.cluster !== undefined && patience === undefined) catchUp(config.cluster.settle, report, host);
  progress('asking libvirt which domains run');
  const listing = listRunning();
  const look = (): Survey => {
    progress(`looking at the host and at ${countOf(listing)} domains`);
    const seen = survey(listing, config, host);
    return { ...seen, base: seen.base.filter(one => patience?.waits(one) !== true) };
  };
  const found = look();
  if (!needsRepair(found)) return stillUnplugged(settledVerdicts(found, host));
  const settled = withLock('sync', 'exclusive', host, () => {
    const again = look();
    progress('repairing what is not as it should be');
    repairAll(again, host, report);
    patience?.mended(again.base);
    return again;
  });
  for (const one of settled.changed) follow(one, settled, report, host);
  return stillUnplugged(settled);
}

/** Turns the routes of domains whose move nobody has followed: without the daemon, say. */
function catchUp(settle: number, report: Report, host: Host): void {
  const moving = readAttachments().filter(({ state }) => state !== undefined);
  // A host without libvirt says so anyway.
  const then = ({ attachment, turn }: Due): void => {
    if (turn === 'here') keepScript(attachment);
    if (turn === 'leaving') countNow(attachment, host);
  };
  for (const { attachment, turn } of turnAll(ifPossible(() => dueOf(moving, settle)) ?? [], host, then))
    report.done(`turned: ${attachmentTitle(attachment)} (${TURNED[turn]})`, {
      domain: attachment.name,
      what: 'route',
    });
}

const TURNED: Readonly<Record<Turn, string>> = {
  incoming: 'it comes from another host',
  leaving: 'it is on its way to another host',
  arrived: 'it has come from another host',
  here: 'it is here',
};

const countOf = ({ running }: Listing): number => running?.size ?? 0;

/** What it means that libvirt doesn't say which domains run. */
export const withoutLibvirt = (why: string): string =>
  `${why}; what no domain owns stays, and lost records are not rebuilt`;

/** A running domain whose metadata was changed gets what it says now. */
function follow(
  { domain, assignment }: Survey['changed'][number],
  { config, firewall, uplinks }: Survey,
  report: Report,
  host: Host,
): void {
  const about = { domain: domain.name, what: 'assignment' };
  try {
    if (assignment === undefined) {
      const gone = stop(domain, host, () => presumed(() => config, host));
      if (gone !== undefined)
        report.done(`removed: ${attachmentTitle(gone)} (its assignment was taken away)`, about);
      return;
    }
    const next = toAttachment(domain, assignment, firewall.name, one => wireFor(one, uplinks));
    change(next, tapsOf(domain), config, host);
    report.done(`changed: ${attachmentTitle(next)} (its assignment has changed)`, about);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    report.failed(`${quote(domain.name)}: ${reason(error)}`);
  }
}

/**
 * Adds up what was counted, but what is passed on for a domain that has left (moves/count.ts). The lock keeps a release from
 * doing the same at the same time.
 */
export function countTraffic({ host }: Pick<Context, 'host'>): void {
  withLock('sync', 'exclusive', host, () => {
    const attachments = readAttachments();
    for (const name of BACKENDS)
      addUpAll(
        attachments.filter(({ backend, state }) => backend === name && state !== 'leaving'),
        host,
      );
  });
}

/** @param attachments all of one backend */
function addUpAll(attachments: readonly Attachment[], host: Host): void {
  const [first] = attachments;
  if (first === undefined) return;
  const prefixes = attachments.flatMap(({ addresses }) => addresses.map(({ prefix }) => prefix));
  const filter = look(host, firewallOf(first.backend, prefixes).counters());
  for (const { domain, addresses } of attachments)
    for (const { prefix } of addresses) addUp(prefix, domain, filter, false);
}
