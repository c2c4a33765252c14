/** Notes in the journal what a change has given to a domain, or taken from it. */
import type { KnownDomain } from '../libvirt/libvirt.ts';
import type { Fact, Party } from '../model/journal.ts';
import type { Prefix } from '../model/prefix.ts';
import { note } from '../state/journal.ts';

type Told = { readonly warn: (line: string) => void };

export const recordAssigned = (known: KnownDomain, addresses: readonly Prefix[], context: Told): void =>
  record(
    addresses.map(address => ({ is: 'assign', address, ...partyOf(known) })),
    context,
  );

export const recordUnassigned = (known: KnownDomain, addresses: readonly Prefix[], context: Told): void =>
  record(
    addresses.map(address => ({ is: 'unassign', address, ...partyOf(known) })),
    context,
  );

export const recordMoved = (address: Prefix, from: KnownDomain, to: KnownDomain, context: Told): void =>
  record([{ is: 'move', address, ...partyOf(to), from: partyOf(from) }], context);

const partyOf = ({ domain: { name, uuid }, active }: KnownDomain): Party => ({
  domain: name,
  uuid,
  running: active,
});

function record(facts: readonly Fact[], { warn }: Told): void {
  const failure = note(facts);
  if (failure !== undefined) warn(failure);
}
