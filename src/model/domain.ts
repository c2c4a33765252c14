import type { Assignment, Intent } from './assignment.ts';
import type { Address } from './bridge.ts';
import { type DhcpMode, ownMode } from './dhcp-mode.ts';
import { OPEN, type Policy } from './policy.ts';
import { quote, Refusal } from './refusal.ts';
import type { Element } from './xml.ts';

/** What we need of a domain's network interface. */
export interface Nic {
  /** In lower case; empty if the XML has no valid one. */
  readonly mac: string;
  /** `bridge`, `network`, `direct` … */
  readonly type: string;
  /** The bridge or network it is plugged into. */
  readonly source: string | undefined;
  /** The host's end (`vnet3`), known once the domain is starting. */
  readonly tap: string | undefined;
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

/** The addresses that a domain's metadata assigns to it; none if the metadata is a clone's copy. */
export function addressesOf(domain: Domain | undefined): readonly Address[] {
  if (domain?.intent.kind !== 'assigned') return [];
  const { owner, addresses } = domain.intent.assignment;
  return owner === undefined || owner === domain.uuid ? addresses : [];
}

/** The rules that a domain's metadata gives it. */
export const policyOf = ({ intent }: Domain): Policy =>
  intent.kind === 'assigned' ? intent.assignment.policy : OPEN;

/** The DHCP mode in a domain's metadata; undefined if the configuration decides. */
export const dhcpOf = ({ intent }: Domain): DhcpMode | undefined =>
  intent.kind === 'assigned' ? intent.assignment.dhcp : undefined;

/** The assignment in a domain's metadata with something changed. A DHCP mode of undefined removes the domain's own. */
export function amended(
  domain: Domain,
  changes: {
    readonly addresses?: readonly Address[];
    readonly policy?: Policy;
    readonly dhcp?: DhcpMode | undefined;
  },
): Assignment {
  const now = { addresses: addressesOf(domain), policy: policyOf(domain), dhcp: dhcpOf(domain), ...changes };
  const { addresses, policy, dhcp } = now;
  return { owner: domain.uuid, addresses, policy, ...ownMode(dhcp) };
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

/** Bridge → the MACs of the domain's interfaces on it, in the domain's order. */
export function macsOf({ nics }: Domain): ReadonlyMap<string, readonly string[]> {
  const macs = new Map<string, string[]>();
  for (const { type, source, mac } of nics) {
    if (type === 'bridge' && source !== undefined && mac !== '')
      macs.set(source, [...(macs.get(source) ?? []), mac]);
  }
  return macs;
}

/** Bridge → the taps of a running domain that belong in it. */
export type Taps = ReadonlyMap<string, readonly string[]>;

export function tapsOf({ nics }: Domain): Taps {
  const taps = new Map<string, string[]>();
  for (const { type, source, tap } of nics) {
    if (type === 'bridge' && source !== undefined && tap !== undefined)
      taps.set(source, [...(taps.get(source) ?? []), tap]);
  }
  return taps;
}
