/**
 * Compares what should be with what is, for the whole host: the base, every running domain, and what belongs to
 * nobody. It takes a constant number of processes, however many domains there are, and changes nothing.
 */

import type { Firewall } from '../firewall/rules/backend.ts';
import { chooseFirewall, firewallOf } from '../host/choose-backend.ts';
import type { Host } from '../host/host.ts';
import { look, type Tools } from '../host/observe/parts.ts';
import { observeWithUplink } from '../host/observe/view.ts';
import { withLibvirt } from '../libvirt/libvirt.ts';
import { assignmentOf } from '../lifecycle/admission.ts';
import type { Assignment } from '../model/assignment.ts';
import type { Attachment } from '../model/attachment.ts';
import type { Config } from '../model/config.ts';
import { BACKENDS } from '../model/config.ts';
import type { Domain } from '../model/domain.ts';
import { tapsOf } from '../model/domain.ts';
import { equal } from '../model/prefix.ts';
import { Refusal, reason } from '../model/refusal.ts';
import { formatRule, type Policy } from '../model/rule.ts';
import { readRunning } from '../model/running.ts';
import type { Uplink } from '../model/uplink.ts';
import type { View } from '../model/view.ts';
import { basePlan, baseRoutes, domainPlan } from '../plan/plan.ts';
import { type Checked, check } from '../plan/walker.ts';
import { claims } from '../resources/claims.ts';
import type { Resource } from '../resources/resource.ts';
import { type Entry, type Records, readRecords, readStamps } from '../state/records.ts';
import { type Stray, strays } from './strays.ts';

/** Which domains run, by libvirt's own word. */
export interface Listing {
  /** Domain → its attachment's stamp, from before libvirt was asked. */
  readonly stamps: ReadonlyMap<string, string>;
  /** Undefined where libvirt doesn't answer, and `why`. */
  readonly running: ReadonlyMap<string, Domain> | undefined;
  readonly why: string | undefined;
}

/**
 * Asks libvirt, never while a lock is held: the hook waits for the lock, and libvirt for the hook. What has changed
 * when the lock is had at last shows by the stamps: a start writes its attachment before libvirt's answer, or anew.
 */
export function listRunning(): Listing {
  const stamps = readStamps();
  try {
    return {
      stamps,
      running: readRunning(withLibvirt(({ connection }) => connection.running())),
      why: undefined,
    };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { stamps, running: undefined, why: reason(error) };
  }
}

/** A domain that runs with an attachment, what it should have, and what of that it hasn't. */
export interface Kept {
  readonly attachment: Attachment;
  readonly plan: readonly Resource[];
  readonly wrong: readonly Checked[];
}

export interface Survey {
  readonly config: Config;
  readonly firewall: Firewall;
  readonly uplink: Uplink;
  readonly view: View;
  /** Resources of the base that aren't as they should be. */
  readonly base: readonly Checked[];
  readonly kept: readonly Kept[];
  /** Running domains whose attachment is lost or can't be read. */
  readonly lost: readonly { readonly domain: Domain; readonly assignment: Assignment }[];
  /** Running domains whose assignment is another than the one they were set up with; `next` undefined: none. */
  readonly changed: readonly { readonly domain: Domain; readonly assignment: Assignment | undefined }[];
  /** Attachments of domains that don't run. */
  readonly ended: readonly Attachment[];
  /** Domains that don't run and whose attachment can't be read. */
  readonly damaged: readonly string[];
  /** What only the operator can put right: who, and why. */
  readonly unclear: readonly { readonly name: string; readonly why: string }[];
  readonly strays: readonly Stray[];
  /** The backend that the configuration doesn't choose, where something of it stands. */
  readonly other: Firewall | undefined;
}

export function survey(listing: Listing, config: Config, host: Host): Survey {
  const firewall = chooseFirewall(config);
  const { view, uplink, moment } = observeWithUplink(host, firewall, config);
  const records = readRecords();
  const sorted = sort(records, listing);
  const attachments = sorted.kept.map(({ attachment }) => attachment);
  const lost = sorted.lost.map(({ domain, assignment }) => ({ ...assignment, ...about(domain, firewall) }));
  const all = [...attachments, ...sorted.ended, ...lost];
  return {
    ...sorted,
    config,
    firewall,
    uplink,
    view,
    base: wrongOf(basePlan(config, uplink, firewall), view),
    kept: sorted.kept.map(one => keep(one, config, firewall, view, records)),
    strays: findStrays(view, all, sorted, records, listing, baseRoutes(config, uplink), firewall),
    other: BACKENDS.filter(name => name !== firewall.name)
      .map(name => firewallOf(name, config.pools))
      .find(one => stands(one, moment)),
  };
}

const about = ({ uuid, name }: Domain, { name: backend }: Firewall) => ({ domain: uuid, name, backend });

const wrongOf = (plan: readonly Resource[], view: View): Checked[] =>
  check(plan, view).filter(({ finding }) => finding.is !== 'present');

function stands(firewall: Firewall, tools: Tools): boolean {
  const { sets, chains } = look(tools, firewall.looks.traces);
  return (
    [...sets.keys()].some(name => name.startsWith('hnet')) ||
    [...chains.keys()].some(key => / hnet-/.test(key))
  );
}

/** What a domain should have; its taps are looked after where libvirt says which they are. */
export function keep(
  { attachment, domain }: { readonly attachment: Attachment; readonly domain?: Domain | undefined },
  config: Config,
  firewall: Firewall,
  view: View,
  records: Pick<Records, 'claims'>,
): Kept {
  const taps = [...(domain === undefined ? [] : tapsOf(domain))].map(
    // One that is gone meanwhile can't be plugged in.
    ([bridge, names]) => [bridge, names.filter(name => view.links.has(name))] as const,
  );
  const plan = [
    claims(attachment, records.claims),
    ...domainPlan({ ...attachment, taps: new Map(taps) }, config.dhcp, firewall),
  ];
  return { attachment, plan, wrong: wrongOf(plan, view) };
}

interface Sorted extends Pick<Survey, 'lost' | 'changed' | 'ended' | 'damaged' | 'unclear'> {
  readonly kept: readonly { readonly attachment: Attachment; readonly domain: Domain | undefined }[];
}

type Writable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

/** Holds records and libvirt's word against each other. */
function sort({ entries }: Records, { running, stamps }: Listing): Sorted {
  const sorted: Writable<Sorted> = { kept: [], lost: [], changed: [], ended: [], damaged: [], unclear: [] };
  for (const entry of entries) {
    const { content, domain: uuid } = entry;
    const domain = running?.get(uuid);
    const over = running !== undefined && domain === undefined && stamps.get(uuid) === entry.stamp;
    if (over && typeof content === 'string') sorted.damaged.push(uuid);
    else if (over && typeof content !== 'string') sorted.ended.push(content);
    else if (typeof content !== 'string') sorted.kept.push({ attachment: content, domain });
    else if (domain === undefined) sorted.unclear.push({ name: uuid, why: content });
  }
  const readable = new Map(sorted.kept.map(({ attachment }) => [attachment.domain, attachment]));
  const unreadable = new Set(
    entries.filter(({ content }) => typeof content === 'string').map(one => one.domain),
  );
  for (const domain of running?.values() ?? []) {
    const intent = intentOf(domain);
    const before = readable.get(domain.uuid);
    if (typeof intent === 'string') {
      if (before !== undefined || unreadable.has(domain.uuid))
        sorted.unclear.push({ name: domain.name, why: intent });
    } else if (before === undefined) {
      // One that had a record when libvirt was about to be asked has ended since, and its release has come.
      if (intent !== undefined && !stamps.has(domain.uuid)) sorted.lost.push({ domain, assignment: intent });
    } else if (intent === undefined || !isSame(before, intent)) {
      sorted.changed.push({ domain, assignment: intent });
    }
  }
  return sorted;
}

/** The live assignment, or why there is none that could be served. */
function intentOf(domain: Domain): Assignment | undefined | string {
  try {
    return assignmentOf(domain);
  } catch (error) {
    return reason(error);
  }
}

function isSame(before: Attachment, { addresses, policy }: Assignment): boolean {
  return (
    before.addresses.length === addresses.length &&
    addresses.every(({ prefix, bridge, scope }) =>
      before.addresses.some(
        one => equal(one.prefix, prefix) && one.bridge === bridge && equal(one.scope, scope),
      ),
    ) &&
    words(before.policy) === words(policy)
  );
}

const words = ({ inbound, isolate, rules }: Policy): string =>
  JSON.stringify([inbound, isolate, rules.map(formatRule)]);

function findStrays(
  view: View,
  attachments: readonly Attachment[],
  { kept, lost }: Sorted,
  { claims: standing, servers, halves, entries }: Records,
  { running }: Listing,
  base: readonly Resource[],
  firewall: Firewall,
): Stray[] {
  // Without libvirt's word everything might belong to a domain that runs.
  if (running === undefined) return [];
  const known = new Set([
    ...kept.map(({ attachment }) => attachment.domain),
    ...lost.map(one => one.domain.uuid),
  ]);
  const unread = entries.filter((entry): entry is Entry => typeof entry.content === 'string');
  const doubtful = [...running.keys(), ...unread.map(({ domain }) => domain)];
  const spared = new Set(doubtful.filter(uuid => !known.has(uuid)));
  const routes = base.map(({ key }) => key);
  return strays(view, { attachments, routes, spared, claims: standing, servers, halves }, firewall);
}
