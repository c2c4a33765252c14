/** What domains have before and after a change, and how the two differ. */
import type { KnownDomain } from '../libvirt/libvirt.ts';
import { assignmentOf } from '../lifecycle/admission.ts';
import { type AddressState, addressLine, addressState } from '../model/address-state.ts';
import type { Difference } from '../model/difference.ts';
import { addressesOf, type Domain } from '../model/domain.ts';
import { reason } from '../model/refusal.ts';
import { type Interface, type Settings, settingsOf } from '../model/settings.ts';

/** A domain as programs are told of it: as it runs, or else as it would start. */
interface DomainState extends Settings {
  readonly addresses: readonly AddressState[];
  /** Why its metadata can't be used; null if it can. */
  readonly unusable: string | null;
}

export const stateOf = ({ domain }: Pick<KnownDomain, 'domain'>): DomainState => describe(domain);

const describe = (domain: Domain): DomainState => ({
  addresses: addressesOf(domain).map(addressState),
  ...settingsOf(domain),
  unusable: whyUnusable(domain),
});

function whyUnusable(domain: Domain): string | null {
  try {
    assignmentOf(domain);
    return null;
  } catch (error) {
    return reason(error);
  }
}

/** How a domain differs, in both of its descriptions: the one it runs by, and that of its next start. */
export function differences(before: KnownDomain, after: KnownDomain): Difference[] {
  const live = before.active ? compare(before.domain, after.domain) : [];
  const next = before.persistent && after.persistent ? compare(before.persistent, after.persistent) : [];
  const isIn = (some: readonly Difference[], one: Difference): boolean =>
    some.some(({ is, what }) => is === one.is && what === one.what);
  return [
    ...live.map(one =>
      before.persistent && !isIn(next, one) ? { ...one, what: `${one.what}, until it stops` } : one,
    ),
    ...next
      .filter(one => !isIn(live, one))
      .map(one => (before.active ? { ...one, what: `${one.what}, from its next start on` } : one)),
  ];
}

function compare(old: Domain, now: Domain): Difference[] {
  const [before, after] = [describe(old), describe(now)];
  const told =
    (is: Difference['is']) =>
    (what: string): Difference => ({ is, domain: now.name, what });
  const [added, removed, changed] = [told('added'), told('removed'), told('changed')];
  const addresses = sorted(before.addresses, after.addresses, one => one.address);
  const interfaces = sorted(before.interfaces, after.interfaces, one => one.mac);
  return [
    ...(before.unusable !== null && after.unusable === null
      ? [removed(`metadata (${before.unusable})`)]
      : []),
    ...addresses.gone.map(one => removed(addressLine(one))),
    ...addresses.other.map(([was, is]) => changed(`${addressLine(was)} → ${addressLine(is)}`)),
    ...addresses.come.map(one => added(addressLine(one))),
    ...interfaces.other.map(([was, is]) => changed(`interface ${is.mac}: ${plugOf(was)} → ${plugOf(is)}`)),
    ...interfaces.come.map(one => added(`interface ${one.mac} on ${plugOf(one)}`)),
    ...(['dhcp', 'boot', 'default', 'isolate'] as const)
      .filter(key => before[key] !== after[key])
      .map(key => changed(`${key} ${wordOf(before[key])} → ${wordOf(after[key])}`)),
    ...surplus(before.rules, after.rules).map(rule => removed(`rule ${rule}`)),
    ...surplus(after.rules, before.rules).map(rule => added(`rule ${rule}`)),
    ...(isReordered(before.rules, after.rules)
      ? [changed(`order of the rules: ${after.rules.join('; ')}`)]
      : []),
    ...surplus(before.forwards, after.forwards).map(one => removed(`forward ${one}`)),
    ...surplus(after.forwards, before.forwards).map(one => added(`forward ${one}`)),
  ];
}

/** What is only in the one list, only in the other, and in both with other contents. */
function sorted<T>(before: readonly T[], after: readonly T[], keyOf: (one: T) => string) {
  const find = (some: readonly T[], one: T): T | undefined => some.find(other => keyOf(other) === keyOf(one));
  const both = before.flatMap(was => {
    const is = find(after, was);
    return is === undefined ? [] : [[was, is] as const];
  });
  return {
    gone: before.filter(one => find(after, one) === undefined),
    come: after.filter(one => find(before, one) === undefined),
    other: both.filter(([was, is]) => JSON.stringify(was) !== JSON.stringify(is)),
  };
}

/** Of two lists in which a line may be several times, what the first has more. */
function surplus(lines: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return lines.filter(line => {
    const place = left.indexOf(line);
    if (place >= 0) left.splice(place, 1);
    return place < 0;
  });
}

const isReordered = (before: readonly string[], after: readonly string[]): boolean =>
  before.join() !== after.join() && before.toSorted().join() === after.toSorted().join();

const plugOf = ({ type, source }: Interface): string => (source === null ? type : `${type} ${source}`);

const wordOf = (value: string | boolean | null): string =>
  typeof value === 'boolean' ? (value ? 'on' : 'off') : (value ?? 'by hnet.toml');
