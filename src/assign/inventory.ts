/** Which addresses are taken: by all domains' assignments, and by the host. */
import type { KnownDomain } from '../libvirt/libvirt.ts';
import { addressesOf } from '../model/domain.ts';
import { hostAddresses } from '../model/host-address.ts';
import { aliasOwner } from '../model/names.ts';
import { ownAddresses, type Uplinks } from '../model/uplink.ts';
import type { View } from '../model/view.ts';
import type { Holding, Taken } from './allocate.ts';

/**
 * Collects what is taken. Of a running domain both its live and its persistent assignment count: the one is in the kernel
 * now, the other will be at its next start.
 */
export function inventory(
  domains: readonly KnownDomain[],
  {
    view: { links, addresses, routes },
    uplinks,
  }: { readonly view: Pick<View, 'links' | 'addresses' | 'routes'>; readonly uplinks: Uplinks },
): Taken {
  const isOurs = (name: string): boolean => aliasOwner(links.get(name)?.alias ?? '') !== undefined;
  return {
    holdings: domains.flatMap(holdingsOf),
    own: ownAddresses(uplinks),
    host: hostAddresses({ links, addresses }),
    interfaces: new Set([...links.keys()].filter(name => !isOurs(name))),
    routed: [...routes.values()]
      .filter(({ prefix, dev }) => prefix.family === 4 && prefix.length >= 8 && !isOurs(dev ?? ''))
      .map(({ prefix }) => prefix),
  };
}

/** The addresses of one domain, live and persistent, each once. */
export function holdingsOf({ domain, persistent }: KnownDomain): Holding[] {
  const all = [...addressesOf(persistent), ...addressesOf(domain)];
  const unique = new Map(
    all.map(address => [`${address.prefix.first}/${address.prefix.length} ${address.bridge}`, address]),
  );
  return [...unique.values()].map(address => ({ domain: domain.uuid, name: domain.name, address }));
}
