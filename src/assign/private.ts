/** Private addresses of domains. */
import { format } from '../model/address.ts';
import type { Address } from '../model/bridge.ts';
import { bridgeNames } from '../model/bridge-names.ts';
import { leasedOf } from '../model/names.ts';
import type { Prefix } from '../model/prefix.ts';
import { Refusal } from '../model/refusal.ts';
import { freeScope } from './free-scope.ts';
import { freeName } from './pin.ts';
import type { Taken } from './taken.ts';

/**
 * A private address: the first that is leased in a scope, and that the host itself doesn't have. Its bridge isn't called by its last octet alone, which public
 * addresses have too.
 * @param sharedWith another address of the domain, whose bridge and scope it gets
 * @param scope what the operator has chosen
 */
export function privateAddress(
  ranges: readonly Prefix[],
  taken: Taken,
  sharedWith: Address | undefined,
  scope = sharedWith?.scope ?? freeScope(undefined, ranges, taken),
): Address {
  const prefix = freeOf(leasedOf(scope), taken);
  const bridge = sharedWith?.bridge ?? freeName(bridgeNames(prefix).slice(1), prefix, taken);
  return { prefix, bridge, scope };
}

/** @throws Refusal if the host has all of them */
function freeOf([first, final]: readonly [Prefix, Prefix], { host }: Pick<Taken, 'host'>): Prefix {
  const held = new Set(host.map(({ address }) => format(address)));
  for (let address = first.first; address <= final.first; address++)
    if (!held.has(format({ ...first, first: address }))) return { ...first, first: address };
  throw new Refusal(
    `Cannot find a private address: the host itself has all from ${format(first)} to ${format(final)}`,
  );
}
