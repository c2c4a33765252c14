/** Repairs until there is nothing left to repair: what `hnet sync` does once, and the daemon again and again. */

import { firewallOf } from '../host/choose-backend.ts';
import type { Context } from '../host/context.ts';
import type { Host } from '../host/host.ts';
import { withLock } from '../host/lock.ts';
import { look } from '../host/observe/parts.ts';
import { toAttachment } from '../lifecycle/admission.ts';
import { change } from '../lifecycle/change.ts';
import { presumed } from '../lifecycle/in-force.ts';
import { stop } from '../lifecycle/stop.ts';
import { type Attachment, attachmentTitle } from '../model/attachment.ts';
import { BACKENDS } from '../model/config.ts';
import { tapsOf } from '../model/domain.ts';
import { quote, Refusal, reason } from '../model/refusal.ts';
import { wireFor } from '../model/uplink.ts';
import { addUp } from '../state/ledger.ts';
import { readEntries } from '../state/records.ts';
import { type Fault, faultLine, faults, unservedLines } from './faults.ts';
import { needsRepair, type Survey } from './findings.ts';
import { type Matter, type Report, repairAll } from './mend.ts';
import { type Listing, listRunning, settledSurvey, settledVerdicts, survey } from './survey.ts';

/** A domain may end while it is repaired: then the host is looked at, and repaired, again. */
const PASSES = 3;
/** A repair may fail because another domain has the address by now. */
const TRIES = 2;

/** What a repair says that it did, and what that is about. */
interface Claim {
  readonly line: string;
  readonly about: Matter;
}

/**
 * Brings base and running domains to what they should be, in the backend that the configuration chooses, and removes what
 * belongs to nobody. On a host in order it changes nothing. It says what it did once a further look has shown it: a
 * command that succeeds may have done nothing.
 * @returns whether everything is as it should be now; false too where that couldn't be looked at
 */
export function converge(context: Context): boolean {
  let claims: Claim[] = [];
  for (let pass = 1; ; pass++) {
    const failures: string[] = [];
    const made: Claim[] = [];
    const report: Report = {
      done: (line, about) => void made.push({ line, about }),
      failed: line => void failures.push(line),
    };
    // No assignment changes between the look and the repair, or the repair would undo the change.
    const found = withLock('assignments', 'exclusive', context.host, () => onePass(report, context));
    confirm(claims, found, context);
    claims = made;
    if (pass < (failures.length > 0 ? TRIES : PASSES) && needsRepair(found)) continue;
    if (claims.length > 0) failures.push(...lookAgain(claims, context));
    for (const { name, why } of found.unclear) failures.push(`${quote(name)}: ${why}`);
    for (const { attachment, why } of found.unplugged) failures.push(`${quote(attachment.name)}: ${why}`);
    failures.push(...unservedLines(found.unserved));
    for (const line of failures) context.warn(line);
    return failures.length === 0 && found.unasked === undefined;
  }
}

/** Tells what was done and isn't a fault any more. @returns what still is one */
function confirm(claims: readonly Claim[], found: Survey, { print }: Pick<Context, 'print'>): Fault[] {
  const open = faults(found);
  const isOpen = ({ about: { domain, what } }: Claim): boolean =>
    open.some(fault => fault.domain === domain && fault.what === what);
  for (const claim of claims) if (!isOpen(claim)) print(claim.line);
  return open.filter(fault =>
    claims.some(({ about }) => about.domain === fault.domain && about.what === fault.what),
  );
}

/** A last look, after a pass that changed something. @returns what it was to mend and hasn't, a sentence each */
function lookAgain(claims: readonly Claim[], context: Context): string[] {
  const found = settledSurvey(listRunning(), context.config(), context.host);
  return confirm(claims, found, context).map(
    fault =>
      `Cannot repair ${faultLine(fault)}: no command failed, and it is as it was; see hnet --trace sync`,
  );
}

function onePass(report: Report, context: Context): Survey {
  const { host } = context;
  const listing = list(context);
  const config = context.config();
  const found = survey(listing, config, host);
  if (!needsRepair(found)) return settledVerdicts(found, host);
  const settled = withLock('sync', 'exclusive', host, () => {
    const again = survey(listing, config, host);
    repairAll(again, host, report);
    return again;
  });
  for (const one of settled.changed) follow(one, settled, report, host);
  return settled;
}

/** Which domains run; where libvirt doesn't say, the operator is told what that means. */
export function list({ warn }: Pick<Context, 'warn'>): Listing {
  const listing = listRunning();
  if (listing.why !== undefined)
    warn(`${listing.why}; what no domain owns stays, and lost records are not rebuilt`);
  return listing;
}

/** A running domain whose metadata was changed gets what it says now. */
function follow(
  { domain, assignment }: Survey['changed'][number],
  { config, firewall, uplink }: Survey,
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
    const next = toAttachment(domain, assignment, firewall.name, wireFor(config, uplink));
    change(next, tapsOf(domain), config, host);
    report.done(`changed: ${attachmentTitle(next)} (its assignment has changed)`, about);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    report.failed(`${quote(domain.name)}: ${reason(error)}`);
  }
}

/** Adds up what was counted. The lock keeps a release from doing the same at the same time. */
export function countTraffic({ host }: Pick<Context, 'host'>): void {
  withLock('sync', 'exclusive', host, () => {
    const attachments = readEntries().flatMap(({ content }) =>
      typeof content === 'string' ? [] : [content],
    );
    for (const name of BACKENDS)
      addUpAll(
        attachments.filter(({ backend }) => backend === name),
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
