/** The networks on the host's other interfaces: containers, VPNs, and what is behind them. */
import { parseSubnet } from './address.ts';
import { aliasOwner } from './names.ts';
import { compare, contains, type Family, isLinkLocal, isSingle, type Prefix, subtract } from './prefix.ts';
import type { Route, View } from './view.ts';

type Seen = Pick<View, 'links' | 'addresses' | 'configured'>;

/** A shorter route is a part of a default route, as some VPNs have. */
const SHORTEST: Readonly<Record<Family, number>> = { 4: 8, 6: 16 };

/**
 * What lies behind interfaces that are neither uplinks nor bridges of domains: their subnets, and what is routed to them.
 * None of these networks holds another.
 */
export function insideNets(
  family: Family,
  uplinks: readonly { readonly device: string }[],
  { links, addresses, configured = [] }: Seen,
): Prefix[] {
  const isInside = (device: string | undefined): boolean =>
    device !== undefined &&
    device !== 'lo' &&
    !uplinks.some(one => one.device === device) &&
    aliasOwner(links.get(device)?.alias ?? '') === undefined;
  const subnets = [...addresses].flatMap(([device, texts]) =>
    isInside(device) ? texts.map(parseSubnet).filter(net => !isSingle(net)) : [],
  );
  const routed = configured.filter(route => route.type === 'unicast' && devicesOf(route).every(isInside));
  return outermost(
    [...subnets, ...routed.map(({ prefix }) => prefix)].filter(
      net => net.family === family && net.length >= SHORTEST[family] && !isLinkLocal(net),
    ),
  );
}

const devicesOf = ({ dev, hops }: Route): (string | undefined)[] => hops?.map(hop => hop.dev) ?? [dev];

/**
 * Private subnets of bridges of domains that lie outside of some ranges: given by hand, or of a former configuration. With
 * `arp_ignore` a bridge also has the host's own address, as a part of everything.
 */
export function scopesApart(
  ranges: readonly Prefix[],
  { links, addresses }: Omit<Seen, 'configured'>,
): Prefix[] {
  const bridges = [...links].filter(([, { alias }]) => aliasOwner(alias) !== undefined);
  return outermost(
    bridges
      .flatMap(([name]) => addresses.get(name) ?? [])
      .map(parseSubnet)
      .filter(net => net.family === 4 && net.length >= SHORTEST[4] && !isSingle(net))
      .filter(net => !ranges.some(range => contains(range, net))),
  );
}

/** Those prefixes that no other one holds, each once. */
export function outermost(prefixes: readonly Prefix[]): Prefix[] {
  const kept: Prefix[] = [];
  for (const one of prefixes.toSorted(compare)) {
    const last = kept.at(-1);
    if (last === undefined || !contains(last, one)) kept.push(one);
  }
  return kept;
}

/** Networks without the ranges in them, which lie elsewhere. A network inside of a range stays: somebody has routed it. */
export const without = (nets: readonly Prefix[], ranges: readonly Prefix[]): Prefix[] =>
  ranges.reduce<Prefix[]>(
    (left, range) => left.flatMap(net => (contains(range, net) ? [net] : subtract(net, range))),
    [...nets],
  );
