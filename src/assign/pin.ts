import { format } from '../model/address.ts';
import type { Address } from '../model/bridge.ts';
import { bridgeNames } from '../model/bridge-names.ts';
import type { Prefix } from '../model/prefix.ts';
import { Refusal } from '../model/refusal.ts';
import { freeScope } from './free-scope.ts';
import type { Taken } from './taken.ts';

/** The most telling bridge name for an address that is free. */
export const freeBridge = (prefix: Prefix, taken: Taken): string =>
  freeName(bridgeNames(prefix), prefix, taken);

export function freeName(names: readonly string[], prefix: Prefix, taken: Taken): string {
  const used = new Set([...taken.interfaces, ...taken.holdings.map(({ address }) => address.bridge)]);
  const name = names.find(candidate => !used.has(candidate));
  if (name === undefined)
    throw new Refusal(`Cannot name a bridge for ${format(prefix)}: ${names.join(', ')} exist already`);
  return name;
}

/**
 * Everything an assignment of one address pins. Further addresses of a domain share its bridge and scope.
 * @param scope what the operator has chosen
 */
export function pin(
  prefix: Prefix,
  ranges: readonly Prefix[],
  taken: Taken,
  sharedWith: Address | undefined,
  scope?: Prefix,
): Address {
  if (sharedWith !== undefined) return { prefix, bridge: sharedWith.bridge, scope: sharedWith.scope };
  return { prefix, bridge: freeBridge(prefix, taken), scope: scope ?? freeScope(prefix, ranges, taken) };
}
