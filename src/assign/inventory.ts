/** Which addresses are taken: by all domains' assignments, by the host, and by the other hosts of its cluster. */
import { peerAddresses } from '../cluster/around.ts';
import type { Contents } from '../cluster/contents.ts';
import type { KnownDomain } from '../libvirt/libvirt.ts';
import type { Config } from '../model/config.ts';
import { addressesOf } from '../model/domain.ts';
import { hostAddresses } from '../model/host-address.ts';
import { aliasOwner } from '../model/names.ts';
import type { Prefix } from '../model/prefix.ts';
import { ownAddresses, type Uplinks } from '../model/uplink.ts';
import type { View } from '../model/view.ts';
import type { Holding, Taken } from './taken.ts';

/**
 * Collects what is taken. Of a running domain both its live and its persistent assignment count: the one is in the kernel
 * now, the other will be at its next start.
 * @param elsewhere what the other hosts of the cluster hold; undefined where this one is alone
 */
export function inventory(
  domains: readonly KnownDomain[],
  {
    view: { links, addresses, routes },
    uplinks,
  }: { readonly view: Pick<View, 'links' | 'addresses' | 'routes'>; readonly uplinks: Uplinks },
  config: Pick<Config, 'cluster'>,
  elsewhere?: Pick<Contents, 'claims' | 'runs' | 'places' | 'hosts'>,
): Taken {
  const here = domains.flatMap(holdingsOf);
  const isOurs = (name: string): boolean => aliasOwner(links.get(name)?.alias ?? '') !== undefined;
  return {
    holdings: [...here, ...(elsewhere === undefined ? [] : claimedElsewhere(elsewhere, here))],
    own: ownAddresses(uplinks),
    host: hostAddresses({ links, addresses }),
    peers: peerAddresses(config, elsewhere),
    interfaces: new Set([...links.keys()].filter(name => !isOurs(name))),
    routed: [...routes.values()]
      .filter(({ prefix, dev }) => prefix.family === 4 && prefix.length >= 8 && !isOurs(dev ?? ''))
      .map(({ prefix }) => prefix),
  };
}

/**
 * What domains elsewhere have, by their claims; and what is claimed for a domain of this host that it doesn't know of.
 * @param held what is known of this host's domains
 */
function claimedElsewhere(
  { claims, runs, places }: Pick<Contents, 'claims' | 'runs' | 'places'>,
  held: readonly Holding[],
): Holding[] {
  const keyOf = (domain: string, { first, length }: Prefix): string => `${domain} ${first}/${length}`;
  const known = new Set(held.map(({ domain, address }) => keyOf(domain, address.prefix)));
  const own = new Set(held.map(({ domain }) => domain));
  return claims
    .filter(({ domain, prefix }) => !known.has(keyOf(domain, prefix)))
    .map(({ domain, name, prefix, bridge, scope }) => {
      const host = own.has(domain) ? undefined : (runs.get(domain) ?? places.get(domain))?.host;
      const where = host && { host, runs: runs.has(domain) };
      return { domain, name, address: { prefix, bridge, scope }, ...where };
    });
}

/** The addresses of one domain, live and persistent, each once. */
export function holdingsOf({ domain, persistent }: KnownDomain): Holding[] {
  const all = [...addressesOf(persistent), ...addressesOf(domain)];
  const unique = new Map(
    all.map(address => [`${address.prefix.first}/${address.prefix.length} ${address.bridge}`, address]),
  );
  return [...unique.values()].map(address => ({ domain: domain.uuid, name: domain.name, address }));
}
