import type { Assignment, Intent } from './assignment.ts';
import type { Address, Taps } from './bridge.ts';
import { type OwnDhcp, ownDhcp } from './dhcp-mode.ts';
import type { Forward } from './forward.ts';
import { OPEN, type Policy } from './policy.ts';
import { canBeTyped, quote, Refusal } from './refusal.ts';
import { shellWord } from './shell.ts';
import { childOf, type Element } from './xml.ts';

export interface Nic {
  /** In lower case; empty if the XML has no valid one. */
  readonly mac: string;
  /** `bridge`, `network`, `direct` … */
  readonly type: string;
  /** The bridge or network it is plugged into. */
  readonly source: string | undefined;
  /** The host's end (`vnet3`), known once the domain is starting. */
  readonly tap: string | undefined;
  /** Whether libvirt was told to pull its cable: `virsh domif-setlink … down`. */
  readonly isOff: boolean;
  /** The whole element, to be changed and handed back to libvirt. */
  readonly element: Element;
}

/** A libvirt domain as its XML describes it. */
export interface Domain {
  readonly uuid: string;
  /** Any text: `..`, `-rf`, `$(id)`. It is only shown, and quoted. */
  readonly name: string;
  readonly nics: readonly Nic[];
  readonly intent: Intent;
}

/** How a proposed command names a domain: by UUID if its name can't be copied from the terminal. */
export const domainWord = ({ name, uuid }: Pick<Domain, 'name' | 'uuid'>): string =>
  canBeTyped(name) ? shellWord(name) : uuid;

/** What a domain's metadata assigns to it; undefined if it says nothing, can't be read, or is a clone's copy. */
export function ownAssignment(domain: Domain | undefined): Assignment | undefined {
  if (domain?.intent.kind !== 'assigned') return undefined;
  const { owner } = domain.intent.assignment;
  return owner === undefined || owner === domain.uuid ? domain.intent.assignment : undefined;
}

/** The addresses that a domain's metadata assigns to it; none if the metadata is a clone's copy. */
export const addressesOf = (domain: Domain | undefined): readonly Address[] =>
  ownAssignment(domain)?.addresses ?? [];

/** The rules that a domain's metadata gives it. */
export const policyOf = ({ intent }: Domain): Policy =>
  intent.kind === 'assigned' ? intent.assignment.policy : OPEN;

/** The host's ports that lead to it by its metadata; none if the metadata is a clone's copy. */
export const forwardsOf = (domain: Domain | undefined): readonly Forward[] =>
  ownAssignment(domain)?.forwards ?? [];

type Changes = Partial<Pick<Assignment, 'addresses' | 'policy' | 'forwards'>> & {
  readonly [K in keyof OwnDhcp]: OwnDhcp[K] | undefined;
};

/** The assignment in a domain's metadata with something changed. What is undefined of {@link OwnDhcp} is removed. */
export function amended(domain: Domain, changes: Changes): Assignment {
  const { intent, uuid: owner } = domain;
  const own = intent.kind === 'assigned' ? ownDhcp(intent.assignment) : {};
  const now = {
    addresses: addressesOf(domain),
    policy: policyOf(domain),
    forwards: forwardsOf(domain),
    ...own,
    ...changes,
  };
  const { addresses, policy, forwards } = now;
  return { owner, addresses, policy, ...(forwards.length > 0 && { forwards }), ...ownDhcp(now) };
}

/**
 * The addresses of a domain that is about to get another one; none of a clone.
 * @throws Refusal if its metadata can't be read: a new assignment would overwrite it
 */
export function addressesToKeep(domain: Domain, purpose: string): readonly Address[] {
  const { intent, name } = domain;
  if (intent.kind !== 'malformed') return addressesOf(domain);
  throw new Refusal(
    `Cannot ${purpose} ${quote(name)}: its hnet metadata can't be read (${intent.why}); hnet unassign removes it`,
  );
}

/** The interface that is plugged into a bridge, the first of several. */
export const nicOn = ({ nics }: Domain, bridge: string): Nic | undefined =>
  nics.find(({ type, source }) => type === 'bridge' && source === bridge);

/** Bridge → the MACs of the domain's interfaces on it, in the domain's order. */
export const macsOf = (domain: Domain): ReadonlyMap<string, readonly string[]> =>
  onBridges(domain, ({ mac }) => mac);

/** Bridge → the smallest MTU that the domain's definition gives an interface on it (`<mtu size="1400"/>`), where it does. */
export const mtusOf = (domain: Domain): ReadonlyMap<string, number> =>
  new Map(
    [...onBridges(domain, mtuIn)].map(([bridge, sizes]) => [bridge, Math.min(...sizes.map(Number))] as const),
  );

const mtuIn = ({ element }: Nic): string | undefined =>
  /^\d{1,5}$/.exec(childOf(element, 'mtu')?.attributes.get('size') ?? '')?.[0];

export const tapsOf = (domain: Domain): Taps =>
  onBridges(domain, ({ tap, isOff }) => (tap ? { name: tap, isOff } : undefined));

/** Bridge → what is known of each interface on it. */
function onBridges<T>({ nics }: Domain, known: (nic: Nic) => T | undefined): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const nic of nics.filter(({ type }) => type === 'bridge')) {
    const { source } = nic;
    const one = known(nic);
    if (source !== undefined && one) found.set(source, [...(found.get(source) ?? []), one]);
  }
  return found;
}
