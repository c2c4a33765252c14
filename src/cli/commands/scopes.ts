import { DOCKER_SETTINGS, freeRange, USUAL, usesOf, usesOfDocker } from '../../assign/scopes.ts';
import type { Context } from '../../host/context.ts';
import { readIfThere } from '../../host/files.ts';
import { readNetwork } from '../../host/observe/view.ts';
import { hasTool } from '../../host/tools.ts';
import { format, readSubnet } from '../../model/address.ts';
import { equal, overlaps } from '../../model/prefix.ts';
import { Refusal } from '../../model/refusal.ts';

/**
 * Prints a private range that nothing on this host uses, for install.sh to write into the configuration.
 * @param pools in words that may be none: those are left out
 * @throws Refusal if everything is in use
 */
export function scopes(pools: readonly string[], { host, print, warn }: Context): void {
  const uses = [
    ...usesOf(readNetwork(host)),
    ...usesOfDocker(hasTool('dockerd'), readIfThere(DOCKER_SETTINGS) ?? ''),
    ...pools.flatMap(readSubnet).map(prefix => ({ prefix, by: `the pool ${format(prefix)}` })),
  ];
  const free = freeRange(uses);
  if (free === undefined)
    throw new Refusal(
      'Cannot find a private range that this host does not use; name one yourself, as "scopes" in hnet.toml',
    );
  const why = uses.find(({ prefix }) => overlaps(prefix, USUAL))?.by;
  if (!equal(free, USUAL))
    warn(`${format(USUAL)} overlaps ${why}: private subnets of VMs come from ${format(free)} instead`);
  print(format(free));
}
