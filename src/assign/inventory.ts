/** Who holds what: the assignments of all domains, seen together with the host. */

import { chooseFirewall } from '../host/choose-backend.ts';
import type { Host } from '../host/host.ts';
import { observeWithUplink } from '../host/observe/view.ts';
import type { KnownDomain } from '../libvirt/libvirt.ts';
import type { Config } from '../model/config.ts';
import { addressesOf } from '../model/domain.ts';
import { aliasOwner } from '../model/names.ts';
import { ownAddresses } from '../model/uplink.ts';
import type { View } from '../model/view.ts';
import type { Holding, Taken } from './allocate.ts';

/**
 * Collects what is taken, from one look at the host, which it returns too. Of a running domain both its live and its
 * persistent assignment count: the one is in the kernel now, the other will be at its next start.
 */
export function inventory(
  domains: readonly KnownDomain[],
  config: Config,
  host: Host,
): { readonly taken: Taken; readonly view: View } {
  const { view, uplink } = observeWithUplink(host, chooseFirewall(config), config);
  const { links, routes } = view;
  const foreign = [...links].filter(([, link]) => aliasOwner(link.alias) === undefined).map(([name]) => name);
  const ours = new Set([...links.keys()].filter(name => !foreign.includes(name)));
  const taken = {
    holdings: domains.flatMap(holdingsOf),
    own: ownAddresses(uplink),
    interfaces: new Set(foreign),
    routed: [...routes.values()]
      .filter(({ prefix, dev }) => prefix.family === 4 && prefix.length >= 8 && !ours.has(dev ?? ''))
      .map(({ prefix }) => prefix),
  };
  return { taken, view };
}

/** The addresses of one domain, live and persistent, each once. */
export function holdingsOf({ domain, persistent }: KnownDomain): Holding[] {
  const all = [...addressesOf(persistent), ...addressesOf(domain)];
  const unique = new Map(
    all.map(address => [`${address.prefix.first}/${address.prefix.length} ${address.bridge}`, address]),
  );
  return [...unique.values()].map(address => ({ domain: domain.uuid, name: domain.name, address }));
}
