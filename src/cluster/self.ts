import { hostname } from 'node:os';
import { parseInterfaceAddress } from '../model/address.ts';
import type { ClusterSettings } from '../model/config.ts';
import { FAMILIES, isLinkLocal, type Prefix } from '../model/prefix.ts';
import type { View } from '../model/view.ts';

/** What this host is called among its peers. */
export const ownName = ({ host }: Pick<ClusterSettings, 'host'>): string => host ?? hostname();

/** This host's addresses on the wire, one of each family at most: as configured, or else the interface's first. */
export const wireAddresses = (
  { wire, addresses }: Pick<ClusterSettings, 'wire' | 'addresses'>,
  network: Pick<View, 'addresses'>,
): Prefix[] =>
  FAMILIES.flatMap(family => {
    const found = (network.addresses.get(wire) ?? []).map(text => parseInterfaceAddress(text).address);
    const isFit = (one: Prefix): boolean => one.family === family && !isLinkLocal(one);
    return addresses.find(isFit) ?? (addresses.length === 0 ? found.find(isFit) : undefined) ?? [];
  });
