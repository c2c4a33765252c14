/**
 * Compares what should be with what is, for the whole host: the base, every running domain, and what belongs to
 * nobody. It takes a constant number of processes, however many domains there are, and changes nothing.
 */

import { peerAddresses } from '../cluster/around.ts';
import { chooseFirewall, firewallOf } from '../host/choose-backend.ts';
import type { Host } from '../host/host.ts';
import { withLock } from '../host/lock.ts';
import { stands } from '../host/observe/parts.ts';
import { observeWithUplinks } from '../host/observe/view.ts';
import { wrongOf } from '../lifecycle/apply.ts';
import { type Attachment, prefixesOf, type WireOf } from '../model/attachment.ts';
import { BACKENDS, type Config } from '../model/config.ts';
import { type Domain, tapsOf } from '../model/domain.ts';
import { CLUSTER_FILE } from '../model/names.ts';
import type { Prefix } from '../model/prefix.ts';
import { ifPossible } from '../model/refusal.ts';
import { wireFor } from '../model/uplink.ts';
import type { View } from '../model/view.ts';
import { dueHere } from '../moves/due-here.ts';
import { basePlan, baseRoutes } from '../plan/plan.ts';
import { check } from '../plan/walker.ts';
import { remove } from '../resources/action.ts';
import type { Stray } from '../resources/resource.ts';
import { isWrong } from '../resources/resource.ts';
import { readAttachment } from '../state/attachment-files.ts';
import { type Records, readRecords } from '../state/records.ts';
import { besideBase } from './base-faults.ts';
import { classify } from './classify.ts';
import { type Kept, needsRepair, type Of, type Seen, type Survey } from './findings.ts';
import { type Listing, listRunning } from './listing.ts';
import { lostAttachment, meansOf, mending } from './means.ts';
import type { Outcome } from './outcome.ts';
import { portsIn, unplugged } from './plugs.ts';
import { unserved } from './served.ts';
import { strays } from './strays.ts';

export function survey(listing: Listing, config: Config, host: Host): Survey {
  const firewall = chooseFirewall(config);
  const records = readRecords();
  const { view, uplinks, moment } = observeWithUplinks(host, firewall, config, placesIn(records));
  const outcomes = outcomesOf(records, listing, prefix => wireFor(prefix, uplinks));
  const seen = { config, firewall, uplinks, view };
  const base = check(basePlan(config, uplinks, firewall), view).filter(isWrong);
  const kept = outcomes.flatMap(one =>
    'attachment' in one && one.attachment !== undefined && one.is !== 'ended'
      ? [keep(one.attachment, one.domain, seen, records)]
      : [],
  );
  const whole = kept.filter(({ wrong }) => wrong.length === 0).map(({ attachment }) => attachment);
  return {
    ...seen,
    ...byOutcome(outcomes),
    base,
    kept,
    unserved: besideBase(base, seen, unserved(whole, { ...seen, others: peerAddresses(config) }, host)),
    unplugged: loose(outcomes, view),
    due: [],
    unasked: listing.why,
    // Until the new filter stands, the one of an earlier version holds.
    strays: [
      ...findStrays(outcomes, listing, records, seen),
      ...(base.length === 0 ? formerFilter(seen) : []),
      ...formerCluster(seen),
    ],
    other: BACKENDS.filter(name => name !== firewall.name)
      .map(name => firewallOf(name, config.pools))
      .find(one => stands(one, moment)),
  };
}

/** The addresses of all that is attached, as far as the records can be read. */
const placesIn = ({ entries }: Records): Prefix[] =>
  entries.flatMap(({ content }) => (typeof content === 'string' ? [] : prefixesOf(content)));

/** What concerns one domain each. */
function byOutcome(
  outcomes: readonly Outcome[],
): Pick<Survey, 'changed' | 'lost' | 'ended' | 'damaged' | 'unclear'> {
  const are = <K extends Outcome['is']>(is: K): Of<K>[] =>
    outcomes.filter((outcome): outcome is Of<K> => outcome.is === is);
  return {
    changed: are('changed'),
    lost: are('lost'),
    ended: are('ended'),
    damaged: are('damaged'),
    unclear: are('unclear'),
  };
}

/**
 * Something may seem wrong because a domain is starting or stopping right now. Then starts and stops are waited for, and
 * held back.
 */
export function settledSurvey(listing: Listing, config: Config, host: Host): Survey {
  const found = survey(listing, config, host);
  return withLibvirtsWord(
    needsRepair(found)
      ? withLock('sync', 'exclusive', host, () => survey(listing, config, host))
      : settledVerdicts(found, host),
    config,
  );
}

/** What libvirt must be asked about once more; never while the hook waits for a lock of ours. */
export const withLibvirtsWord = (found: Survey, config: Config): Survey => ({
  ...stillUnplugged(found),
  due: dueHere(config),
});

/**
 * A tap is gone also while its domain stops, until the hook has been told, and while it starts. libvirt is asked once more
 * which domains run, and the kernel after it.
 */
function stillUnplugged(found: Survey): Survey {
  if (found.unplugged.every(({ tap }) => tap === undefined)) return found;
  const { running } = listRunning();
  const taps = [...(running?.values() ?? [])].flatMap(domain => [...tapsOf(domain).values()].flat());
  const names = new Set(taps.map(({ name }) => name));
  const isGone = (tap: string): boolean => found.view.sysctl(`/sys/class/net/${tap}/ifindex`) === undefined;
  const stays = ({ tap }: Survey['unplugged'][number]): boolean =>
    tap === undefined || (names.has(tap) && isGone(tap));
  return { ...found, unplugged: found.unplugged.filter(stays) };
}

/** The same for the addresses that the kernel wouldn't serve: their domain may have stopped just then. */
export function settledVerdicts(found: Survey, host: Host): Survey {
  if (found.unserved.length === 0) return found;
  const domains = new Set(found.unserved.map(({ attachment }) => attachment.domain));
  return withLock('sync', 'exclusive', host, () => {
    const now = [...domains].flatMap(domain => ifPossible(() => readAttachment(domain)) ?? []);
    const seen = { ...found, others: peerAddresses(found.config) };
    return { ...found, unserved: besideBase(found.base, seen, unserved(now, seen, host)) };
  });
}

/** Holds records and libvirt's word against each other, for every domain that either knows. */
function outcomesOf({ entries }: Records, { running, stamps, moving }: Listing, wires: WireOf): Outcome[] {
  const records = new Map(entries.map(entry => [entry.domain, entry]));
  return [...new Set([...records.keys(), ...(running?.keys() ?? [])])].map(uuid => {
    const entry = records.get(uuid);
    const sighting = {
      uuid,
      record: entry?.content,
      isNewer: entry?.isNewer === true,
      hadRecord: stamps.has(uuid),
      isUnchanged: stamps.get(uuid) === entry?.stamp,
      isListed: running !== undefined,
      domain: running?.get(uuid),
      isMoving: moving.has(uuid),
    };
    return classify(sighting, wires);
  });
}

/** Domains that run with what their records say, without an interface on one of their bridges. */
function loose(outcomes: readonly Outcome[], view: View): Survey['unplugged'] {
  const ports = portsIn(view);
  return outcomes.flatMap(one =>
    one.is === 'kept' && one.domain !== undefined
      ? unplugged(one.attachment, one.domain, ports).map(which => ({ ...which, attachment: one.attachment }))
      : [],
  );
}

/** Compares what a domain should have with what it has. */
function keep(attachment: Attachment, domain: Domain | undefined, seen: Seen, records: Records): Kept {
  const change = mending(attachment, domain, seen, records.claims);
  return {
    attachment,
    change,
    wrong: wrongOf(change, meansOf(seen)),
  };
}

/** Without its note the gate lets no migration through to the hook. */
const formerCluster = ({ config, view }: Seen): Stray[] =>
  config.cluster !== undefined || view.sysctl(CLUSTER_FILE) === undefined
    ? []
    : [
        {
          label: 'note of a cluster',
          why: 'hnet.toml has no table [cluster] any more',
          down: [remove(CLUSTER_FILE)],
        },
      ];

function formerFilter({ firewall, view }: Seen): Stray[] {
  const down = firewall.former(view.filter);
  const why = `what they drop is dropped elsewhere now`;
  return down.length === 0 ? [] : [{ label: "an earlier version's chains in the filter table", why, down }];
}

/** Without libvirt's word everything might belong to a domain that runs. */
function findStrays(
  outcomes: readonly Outcome[],
  { running }: Listing,
  records: Records,
  { config, firewall, uplinks, view }: Seen,
): Stray[] {
  if (running === undefined) return [];
  const attachments = outcomes.flatMap(one => {
    if (one.is === 'lost') return [lostAttachment(one, { firewall, uplinks })];
    return 'attachment' in one ? (one.attachment ?? []) : [];
  });
  const known = new Set(attachments.map(({ domain }) => domain));
  const unread = records.entries.filter(({ content }) => typeof content === 'string');
  const doubtful = [...running.keys(), ...unread.map(({ domain }) => domain)];
  const spared = new Set(doubtful.filter(uuid => !known.has(uuid)));
  const routes = baseRoutes(config, uplinks).map(({ key }) => key);
  return strays(
    view,
    { ...records, attachments, spared, routes, hasPeers: config.cluster !== undefined },
    firewall,
  );
}
