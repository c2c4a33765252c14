/** Finds a range for scopes on this host. */
import { readIfThere } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { readNetwork } from '../host/observe/view.ts';
import { hasTool } from '../host/tools.ts';
import { format } from '../model/address.ts';
import { equal, overlaps, type Prefix } from '../model/prefix.ts';
import { Refusal } from '../model/refusal.ts';
import { DOCKER_SETTINGS, freeRange, USUAL, usesOf, usesOfDocker } from './scopes.ts';

/** A range, and what to say of it where it isn't the usual one. */
interface ChosenScopes {
  readonly range: Prefix;
  readonly why: string | undefined;
}

/**
 * A private range that nothing on this host uses.
 * @param pools that it may not meet either
 * @throws Refusal if everything is in use
 */
export function chooseScopes(pools: readonly Prefix[], host: Host): ChosenScopes {
  const uses = [
    ...usesOf(readNetwork(host)),
    ...usesOfDocker(hasTool('dockerd'), readIfThere(DOCKER_SETTINGS) ?? ''),
    ...pools.map(prefix => ({ prefix, by: `the pool ${format(prefix)}` })),
  ];
  const range = freeRange(uses);
  if (range === undefined)
    throw new Refusal(
      'Cannot find a private range that this host does not use; name one yourself, as "scopes" in hnet.toml',
    );
  if (equal(range, USUAL)) return { range, why: undefined };
  const by = uses.find(({ prefix }) => overlaps(prefix, USUAL))?.by;
  return {
    range,
    why: `${format(USUAL)} overlaps ${by}: private subnets of VMs come from ${format(range)} instead`,
  };
}
