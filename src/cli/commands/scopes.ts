import { chooseScopes } from '../../assign/choose-scopes.ts';
import type { Context } from '../../host/context.ts';
import { format, readSubnet } from '../../model/address.ts';

/**
 * Prints a private range that nothing on this host uses.
 * @param pools in words that may be none: those are left out
 * @throws Refusal if everything is in use
 */
export function scopes(pools: readonly string[], { host, print, warn }: Context): void {
  const { range, why } = chooseScopes(pools.flatMap(readSubnet), host);
  if (why !== undefined) warn(why);
  print(format(range));
}
