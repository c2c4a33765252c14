/** Repairs what a survey found, under the lock that keeps starts and stops out. */

import { EVERY_FAMILY, firewallFor, firewallOf } from '../host/choose-backend.ts';
import type { Host } from '../host/host.ts';
import { look } from '../host/observe/parts.ts';
import { routesToScopes } from '../host/observe/start.ts';
import { observe } from '../host/observe/view.ts';
import { refuseUnfit } from '../lifecycle/admit.ts';
import { apply, changeOwner, takeDown, wrongOf } from '../lifecycle/apply.ts';
import { type Attachment, attachmentTitle, prefixesOf } from '../model/attachment.ts';
import { BACKENDS } from '../model/config.ts';
import type { Domain } from '../model/domain.ts';
import { aliasOwner } from '../model/names.ts';
import { quote, Refusal, reason, visible } from '../model/refusal.ts';
import type { View } from '../model/view.ts';
import { type Checked, down, refuseForeign, up } from '../plan/walker.ts';
import { batches } from '../resources/action.ts';
import { whyOf } from '../resources/resource.ts';
import { discardAttachment, rewriteAttachment, writeAttachment } from '../state/attachment-store.ts';
import { addUp } from '../state/ledger.ts';
import { readRecords } from '../state/records.ts';
import type { Kept, Survey } from './findings.ts';
import { aboutDomain, attachmentOf, HOST, matterOf, ofHost, type Report } from './matter.ts';
import { lostAttachment, meansOf, mending } from './means.ts';

/** What a step of the repair works with, and what the steps before it have brought. */
interface Work {
  readonly found: Survey;
  readonly host: Host;
  readonly report: Report;
  /** Domains whose records were rebuilt. */
  readonly recorded: readonly Recorded[];
  readonly hasFailed: boolean;
}

interface Recorded {
  readonly domain: Domain;
  readonly attachment: Attachment;
}

type Step = (work: Work) => Work;

/** So many domains are mended together: their commands must end within the time that one command may take. */
const TOGETHER = 100;

/**
 * The base comes first, because nothing else is safe without it. Then what must be removed, so that it isn't in the way of
 * what is brought up. The filter of another backend is removed last: until then both exist, and agree.
 */
const STEPS: readonly Step[] = [base, sweep, damaged, ended, lost, domains, counters, otherBackend];

/** One thing's failure doesn't keep the others from being repaired. */
export function repairAll(found: Survey, host: Host, report: Report): void {
  const begin: Work = { found, host, report, recorded: [], hasFailed: false };
  STEPS.reduce((work, step) => step(work), begin);
}

/** Does one thing; a failure is told, with the domain's name if it is about one. */
function attempt(work: Work, name: string, act: () => void): Work {
  try {
    act();
    return work;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    work.report.failed(name === '' ? reason(error) : `${quote(name)}: ${reason(error)}`);
    return { ...work, hasFailed: true };
  }
}

/** Does the same with each of some things. */
const forEach = <T>(
  things: readonly T[],
  work: Work,
  act: (thing: T) => void,
  name?: (thing: T) => string,
): Work => things.reduce((so, thing) => attempt(so, name?.(thing) ?? '', () => act(thing)), work);

function base(work: Work): Work {
  const { found, host, report } = work;
  return forEach(found.base, work, checked => {
    up([checked.resource], found.view, host);
    report.done(repaired('', checked), matterOf(HOST, checked.resource));
  });
}

function sweep(work: Work): Work {
  const { found, host, report } = work;
  const swept = forEach(batches(found.strays.flatMap(stray => stray.down)), work, batch =>
    host.perform(batch, true),
  );
  for (const { label, why } of found.strays)
    report.done(`removed: ${label} (${why})`, ofHost('stray', label));
  return swept;
}

function damaged(work: Work): Work {
  return forEach(work.found.damaged, work, ({ uuid }) => {
    discardAttachment(uuid);
    const about = attachmentOf({ domain: null, uuid });
    work.report.done(`removed: attachment of ${uuid} (it could not be read)`, about);
  });
}

function ended(work: Work): Work {
  const left = work.found.ended.map(({ attachment }) => attachment);
  const act = (attachment: Attachment): void => {
    takeDown(attachment, firewallFor(attachment), work.host);
    const what = attachmentTitle(attachment);
    const about = attachmentOf({ domain: attachment.name, uuid: attachment.domain }, what);
    work.report.done(`removed: ${what} (left over from a run that has ended)`, about);
  };
  return forEach(left, work, act, ({ name }) => name);
}

/** Writes the attachments of running domains that lost theirs, from their live metadata. */
function lost(work: Work): Work {
  const { found, host, report } = work;
  const anew = found.lost.map(one => ({ domain: one.domain, attachment: lostAttachment(one, found) }));
  // If the domain's bridge exists, the address was already its: it comes before others that claim the same address.
  const stands = ({ attachment }: Recorded): boolean =>
    attachment.addresses.some(
      ({ bridge }) => aliasOwner(found.view.links.get(bridge)?.alias ?? '') === attachment.domain,
    );
  const admitted: Recorded[] = [];
  const act = (one: Recorded): void => {
    admitAnew(one.attachment, found, host);
    admitted.push(one);
    const about = attachmentOf(aboutDomain(one.domain));
    report.done(`recorded: ${attachmentTitle(one.attachment)} (its attachment was lost)`, about);
  };
  const ordered = [...anew.filter(stands), ...anew.filter(one => !stands(one))];
  const after = forEach(ordered, work, act, ({ attachment }) => attachment.name);
  return { ...after, recorded: admitted };
}

function admitAnew(attachment: Attachment, { config, uplinks }: Survey, host: Host): void {
  const scopes = attachment.addresses.map(({ scope }) => scope);
  refuseUnfit(attachment, { uplinks, routes: routesToScopes(host, scopes) }, config);
  writeAttachment(attachment);
  for (const address of attachment.addresses) changeOwner(address, attachment.domain, host);
}

/** Repairs the domains, by the state of the host after the steps before. */
function domains(work: Work): Work {
  const { found, host } = work;
  const isTouched = found.base.length + found.strays.length + found.ended.length > 0;
  const places = [...found.kept, ...work.recorded].flatMap(({ attachment }) => prefixesOf(attachment));
  const view = isTouched ? observe(host, found.firewall, places) : found.view;
  const claims = work.recorded.length > 0 ? readRecords().claims : new Map<string, string>();
  const anew = work.recorded.map(({ attachment, domain }) => ({
    attachment,
    change: mending(attachment, domain, found, claims),
  }));
  const wrong = [...found.kept, ...anew]
    .map(one => ({ ...one, wrong: wrongOf(one.change, meansOf({ ...found, view })) }))
    .filter(one => one.wrong.length > 0);
  const blocked = wrong.filter(one => one.wrong.some(isForeign));
  const refused = forEach(blocked, work, refuseBlocked, ({ attachment }) => attachment.name);
  const clear = wrong.filter(one => !blocked.includes(one));
  return groupsOf(clear, TOGETHER).reduce((so, group) => mendTogether(group, view, so), refused);
}

const groupsOf = <T>(things: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(things.length / size) }, (_, place) =>
    things.slice(place * size, (place + 1) * size),
  );

const isForeign = ({ finding }: Checked): boolean => finding.is === 'foreign';

/** If something foreign is in the place of one of a domain's resources, the domain isn't touched at all. */
const refuseBlocked = ({ wrong }: Kept): void => refuseForeign(wrong);

function mendTogether(group: readonly Kept[], view: View, work: Work): Work {
  const { found, host, report } = work;
  const mendAll = (some: readonly Kept[], seen: View): void => {
    const changes = some.map(({ change }) => change);
    apply(changes, { ...meansOf({ ...found, view: seen }), host }, 'stop');
    for (const { wrong, attachment } of some)
      for (const checked of wrong) {
        const about = { domain: attachment.name, uuid: attachment.domain };
        report.done(repaired(`${visible(attachment.name)}: `, checked), matterOf(about, checked.resource));
      }
  };
  try {
    mendAll(group, view);
    return work;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // One of them fails: repair each by itself, from a fresh look, so that the others succeed.
    const places = group.flatMap(({ attachment }) => prefixesOf(attachment));
    const now = observe(host, found.firewall, places);
    return forEach(
      group,
      work,
      one => mendAll([one], now),
      ({ attachment }) => attachment.name,
    );
  }
}

/** After a change of backend the old counters are added up a last time; the new ones begin at zero. */
function counters(work: Work): Work {
  const { found, host, hasFailed } = work;
  const moving = found.kept.filter(({ attachment }) => attachment.backend !== found.firewall.name);
  if (hasFailed || moving.length === 0) return work;
  for (const other of BACKENDS.filter(name => name !== found.firewall.name)) {
    const filter = look(host, firewallOf(other, found.config.pools).counters());
    for (const { attachment } of moving) {
      for (const { prefix } of attachment.addresses) addUp(prefix, attachment.domain, filter, true);
      rewriteAttachment({ ...attachment, backend: found.firewall.name });
    }
  }
  return work;
}

function otherBackend(work: Work): Work {
  const { found, host, report, hasFailed } = work;
  const { other } = found;
  if (other === undefined || hasFailed) return work;
  return attempt(work, '', () => {
    // It may have rules of a family that no pool has any more.
    const whole = firewallOf(other.name, EVERY_FAMILY);
    const failures = down(whole.base(found.config, found.uplinks), observe(host, whole), host);
    if (failures.length > 0) throw new Refusal(failures.join('; '));
    const what = `the filter in ${other.name}`;
    report.done(`removed: ${what}`, ofHost('filter', what));
  });
}

const repaired = (prefix: string, { resource, finding }: Checked): string =>
  `${'mayWait' in finding ? 'put back' : 'repaired'}: ${prefix}${resource.label} (${whyOf(finding, 'it was missing')})`;
