import type { Firewall } from '../../firewall/rules/backend.ts';
import { firewallOf } from '../../host/choose-backend.ts';
import { withLock } from '../../host/lock.ts';
import { look } from '../../host/observe/parts.ts';
import { change } from '../../lifecycle/change.ts';
import { stop } from '../../lifecycle/stop.ts';
import type { Attachment } from '../../model/attachment.ts';
import { attachmentTitle, toAttachment } from '../../model/attachment.ts';
import { BACKENDS } from '../../model/config.ts';
import { tapsOf } from '../../model/domain.ts';
import { quote, Refusal, reason } from '../../model/refusal.ts';
import { describe, faults, needsRepair } from '../../repair/faults.ts';
import { type Report, repair } from '../../repair/mend.ts';
import { listRunning, type Survey, survey } from '../../repair/survey.ts';
import { addUp } from '../../state/ledger.ts';
import { readEntries } from '../../state/records.ts';
import { settledSurvey } from './check.ts';
import type { Context } from './context.ts';

/**
 * A repair may come too late for a domain that ended meanwhile: then it is looked at, and repaired, again. What fails
 * may do so because another has the address by then.
 */
const PASSES = 3;
const TRIES = 2;

/**
 * Brings base and running domains to what they should be, in the backend that the configuration chooses; removes what
 * belongs to nobody; and adds up the traffic. On a host in order it changes nothing.
 */
export function sync(options: { dryRun?: boolean }, context: Context): void {
  if (options.dryRun) dryRun(context);
  else {
    countTraffic(context);
    converge(context);
  }
}

function dryRun(context: Context): void {
  const found = faults(settledSurvey(list(context), context));
  for (const fault of found)
    context.print(`would ${fault.is === 'left over' ? 'remove' : 'repair'}: ${describe(fault)}`);
  if (found.length === 0) context.print('Nothing to repair');
}

/** Repairs until there is nothing to repair. The exit code is 1 if something couldn't be. */
export function converge(context: Context): void {
  for (let pass = 1; ; pass++) {
    const failures: string[] = [];
    const report: Report = { done: context.print, failed: line => void failures.push(line) };
    // No assignment changes between the look and the repair, or the repair would undo the change.
    const found = withLock('assignments', 'exclusive', context.host, () => onePass(report, context));
    if (pass < (failures.length > 0 ? TRIES : PASSES) && needsRepair(found)) continue;
    for (const { name, why } of found.unclear) failures.push(`${quote(name)}: ${why}`);
    for (const line of failures) context.warn(line);
    if (failures.length > 0) process.exitCode = 1;
    return;
  }
}

function onePass(report: Report, context: Context): Survey {
  const { host } = context;
  const listing = list(context);
  const config = context.config();
  const found = survey(listing, config, host);
  if (!needsRepair(found)) return found;
  const settled = withLock('sync', 'exclusive', host, () => {
    const again = survey(listing, config, host);
    repair(again, host, report);
    return again;
  });
  for (const { domain, assignment } of settled.changed) follow(domain, assignment, settled, report, context);
  return settled;
}

function list(context: Context): ReturnType<typeof listRunning> {
  const listing = listRunning();
  if (listing.why !== undefined)
    context.warn(`${listing.why}; what no domain owns stays, and lost records are not rebuilt`);
  return listing;
}

/** A running domain whose metadata was changed gets what it says now. */
function follow(
  domain: Survey['changed'][number]['domain'],
  assignment: Survey['changed'][number]['assignment'],
  { config, firewall, uplink }: Survey,
  report: Report,
  { host }: Context,
): void {
  try {
    if (assignment === undefined) {
      const gone = stop(domain, host);
      if (gone !== undefined)
        report.done(`removed: ${attachmentTitle(gone)} (its assignment was taken away)`);
      return;
    }
    const wire = config.ipv6 === 'on-link' ? uplink.device : undefined;
    const next = toAttachment(domain, assignment, firewall.name, wire);
    change(next, tapsOf(domain), config, host);
    report.done(`changed: ${attachmentTitle(next)} (its assignment has changed)`);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    report.failed(`${quote(domain.name)}: ${reason(error)}`);
  }
}

/** Adds up what was counted. The lock keeps a release from doing the same at the same time. */
export function countTraffic(context: Context): void {
  withLock('sync', 'exclusive', context.host, () => {
    const attachments = readEntries().flatMap(({ content }) =>
      typeof content === 'string' ? [] : [content],
    );
    for (const name of BACKENDS) addUpAll(attachments, name, context);
  });
}

function addUpAll(attachments: readonly Attachment[], name: Firewall['name'], { host }: Context): void {
  const own = attachments.filter(({ backend }) => backend === name);
  if (own.length === 0) return;
  const prefixes = own.flatMap(({ addresses }) => addresses.map(({ prefix }) => prefix));
  const filter = look(host, firewallOf(name, prefixes).counters());
  for (const { domain, addresses } of own)
    for (const { prefix } of addresses) addUp(prefix, domain, filter, false);
}
