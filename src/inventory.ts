/** Who holds what: the assignments of all domains, seen together with the host. */

import type { Holding, Taken } from './allocate.ts';
import { chooseFirewall } from './backend.ts';
import type { Config } from './config.ts';
import { addressesOf } from './domain.ts';
import type { Host } from './host.ts';
import type { KnownDomain } from './libvirt.ts';
import { aliasOwner } from './names.ts';
import { observe, observeUplink } from './observe.ts';

/**
 * Collects what is taken. Of a running domain both its live and its persistent assignment count: the one is
 * in the kernel now, the other will be at its next start.
 */
export function inventory(domains: readonly KnownDomain[], config: Config, host: Host): Taken {
  const uplink = observeUplink(host, config);
  const { links, routes } = observe(host, chooseFirewall(config));
  const foreign = [...links].filter(([, link]) => aliasOwner(link.alias) === undefined).map(([name]) => name);
  const ours = new Set([...links.keys()].filter(name => !foreign.includes(name)));
  return {
    holdings: domains.flatMap(holdingsOf),
    own: [uplink.host, uplink.gateway].filter(address => address !== undefined),
    interfaces: new Set(foreign),
    routed: [...routes.values()]
      .filter(route => route.prefix.length >= 8 && !ours.has(route.dev ?? ''))
      .map(route => route.prefix),
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
