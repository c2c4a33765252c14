/** Finds what has hnet's marks but belongs to no domain: left by a process that was killed, or by hand. */
import type { Firewall } from '../firewall/rules/backend.ts';
import { isOfDomain, policyChainNames } from '../firewall/rules/policy-chains.ts';
import { callChainNames } from '../firewall/rules/port-forwards.ts';
import { setNames } from '../firewall/rules/sets.ts';
import { format, formatLong, parsePrefix, parseSubnet } from '../model/address.ts';
import type { Attachment } from '../model/attachment.ts';
import { isLookedFor, publicOf } from '../model/bridge.ts';
import { claimPath, claimsOf } from '../model/claims.ts';
import { isHere } from '../model/move.ts';
import { aliasOwner, isUuid, ROUTE_PROTOCOL } from '../model/names.ts';
import { isTracked } from '../model/policy.ts';
import { contains, equal, FAMILIES, type Prefix } from '../model/prefix.ts';
import type { Route, View } from '../model/view.ts';
import { type Action, ip, remove } from '../resources/action.ts';
import { removeDhcp } from '../resources/dhcp.ts';
import { removeProxy, removeResponder } from '../resources/neighbour.ts';
import type { Stray } from '../resources/resource.ts';
import { hostRouteKey, isPoolRoute, poolRouteKey } from '../resources/route.ts';
import type { Records } from '../state/records.ts';

/** What domains and the base own, and what our files say. */
interface Estate extends Pick<Records, 'claims' | 'servers' | 'halves'> {
  readonly attachments: readonly Attachment[];
  /** Routes of the base, by the keys of their resources. */
  readonly routes: readonly string[];
  /**
   * Domains that run although we have no record of them: of theirs nothing is touched, for it may be in use.
   */
  readonly spared: ReadonlySet<string>;
  /** Whether bridges have answers for other hosts; then the bridges' own resources look after them. */
  readonly hasPeers: boolean;
}

/** Everything astray, in the order in which it can be removed. */
export function strays(view: View, estate: Estate, firewall: Firewall): Stray[] {
  const wanted = toWanted(view, estate);
  return [
    ...strayRoutes(view, wanted),
    ...strayEntries(view, wanted, firewall),
    ...strayChains(view, estate, firewall),
    ...strayServers(view, estate, wanted),
    ...strayProxies(view, estate, wanted),
    ...strayResponders(view, wanted),
    ...strayBridges(view, wanted),
    ...strayClaims(estate),
    ...estate.halves.map(path => stray(path, 'half written', [remove(path)])),
  ];
}

const stray = (label: string, why: string, down: readonly Action[]): Stray => ({ label, why, down });

interface Wanted {
  /** Bridge → its domain; the bridges of spared domains too. */
  readonly bridges: ReadonlyMap<string, string>;
  /** Routes, by the keys of their resources. */
  readonly routes: ReadonlySet<string>;
  /** Set → entries. */
  readonly entries: ReadonlyMap<string, ReadonlySet<string>>;
  /** What is routed to spared domains. */
  readonly prefixes: readonly Prefix[];
}

function toWanted(view: View, { attachments, routes, spared }: Estate): Wanted {
  const kept = [...view.links].flatMap(([name, { alias }]) => {
    const owner = aliasOwner(alias);
    return owner !== undefined && spared.has(owner) ? [[name, owner] as const] : [];
  });
  const own = attachments.flatMap(({ domain, addresses }) =>
    addresses.map(({ bridge }) => [bridge, domain] as const),
  );
  const bridges = new Map([...kept, ...own]);
  const keptNames = new Set(kept.map(([name]) => name));
  const keptRoutes = [...view.routes.values()].filter(({ dev }) => keptNames.has(dev ?? ''));
  const prefixes = keptRoutes.map(({ prefix }) => prefix);
  return {
    bridges,
    routes: new Set([
      ...attachments.flatMap(({ addresses }) => addresses.map(one => hostRouteKey(one.prefix, one.bridge))),
      ...routes,
      ...keptRoutes.map(({ prefix, dev }) => hostRouteKey(prefix, dev ?? '')),
    ]),
    prefixes,
    entries: entriesOf(
      attachments,
      prefixes,
      [...keptNames].flatMap(name => (view.addresses.get(name) ?? []).map(parseSubnet)),
    ),
  };
}

/** What each set should hold of domains. The entries of spared domains may be in any of them. */
function entriesOf(
  attachments: readonly Attachment[],
  keptAddresses: readonly Prefix[],
  keptScopes: readonly Prefix[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const every = (filter: (attachment: Attachment) => boolean): Prefix[] =>
    attachments.filter(filter).flatMap(one => one.addresses.flatMap(({ prefix, scope }) => [prefix, scope]));
  const addresses = attachments.flatMap(one => publicOf(one.addresses));
  const subnets = attachments.flatMap(one => one.addresses.filter(isLookedFor).map(({ prefix }) => prefix));
  const scopes = attachments.flatMap(one => one.addresses.map(({ scope }) => scope));
  const kept = [...keptAddresses, ...keptScopes];
  const entries = new Map<string, ReadonlySet<string>>();
  for (const family of FAMILIES) {
    const names = setNames(family);
    const put = (name: string, prefixes: readonly Prefix[]): unknown =>
      entries.set(name, new Set(prefixes.filter(one => one.family === family).map(formatLong)));
    put(names.in, [...addresses, ...keptAddresses]);
    put(names.out, [...addresses, ...keptAddresses]);
    put(names.held, [...subnets, ...keptAddresses]);
    put(names.scopes, [...scopes, ...keptScopes]);
    put(names.isolated, [...every(({ policy }) => policy.isolate), ...kept]);
    put(names.tracked, [...every(({ policy }) => isTracked(policy)), ...kept]);
    // Where an address needs no closer look, one does no harm.
    put(names.particular, [...addresses, ...keptAddresses]);
  }
  return entries;
}

function strayRoutes({ routes }: View, wanted: Wanted): Stray[] {
  const ours = [...routes.values()].filter(({ protocol }) => protocol === String(ROUTE_PROTOCOL));
  return ours
    .filter(route => !wanted.routes.has(keyOf(route)))
    .map(route =>
      stray(labelOf(route), isPoolRoute(route) ? 'no pool of the configuration' : 'no domain has it', [
        removeRoute(route),
      ]),
    );
}

const keyOf = (route: Route): string =>
  isPoolRoute(route) ? poolRouteKey(route.prefix) : hostRouteKey(route.prefix, route.dev ?? '');

const labelOf = ({ prefix, type, dev = '' }: Route): string =>
  type === 'unicast' ? `route ${format(prefix)} to ${dev}` : `${type} ${format(prefix)}`;

function removeRoute({ prefix, type, dev, metric }: Route): Action {
  return ip(
    'route',
    'delete',
    ...(type === 'unicast' ? [] : [type]),
    formatLong(prefix),
    ...(type === 'unicast' && dev !== undefined ? ['dev', dev] : []),
    ...['metric', String(metric), 'proto', String(ROUTE_PROTOCOL)],
  );
}

function strayEntries({ filter }: View, wanted: Wanted, firewall: Firewall): Stray[] {
  const sets = FAMILIES.flatMap(family => {
    const tracked = wanted.entries.get(setNames(family).tracked) ?? new Set();
    return [...wanted.entries].concat(firewall.ruledMaps(family).map(name => [name, tracked]));
  });
  return [...new Map(sets)].flatMap(([name, entries]) => {
    const contents = filter.sets.get(name);
    if (contents === undefined || contents === 'unread') return [];
    const surplus = [...contents.keys()].filter(entry => !entries.has(entry));
    return surplus.map(entry =>
      stray(`${entry.replace(/\/(32|128)$/, '')} in ${name}`, 'no domain has it', [
        firewall.entries.remove(name, parsePrefix(entry)),
      ]),
    );
  });
}

function strayChains(view: View, { attachments, spared }: Estate, firewall: Firewall): Stray[] {
  const ruled = attachments.filter(({ policy }) => isTracked(policy)).map(({ domain }) => domain);
  const called = attachments.filter(({ forwards = [] }) => forwards.length > 0).map(({ domain }) => domain);
  const wanted = new Set([
    ...[...ruled, ...spared].flatMap(domain => Object.values(policyChainNames(domain))),
    ...[...called, ...spared].flatMap(callChainNames),
  ]);
  const found = [...view.filter.chains.keys()].flatMap(key => key.split(' ').filter(isOfDomain));
  // Each family has them under the same names.
  const surplus = [...new Set(found)].filter(name => !wanted.has(name));
  if (surplus.length === 0) return [];
  return [
    stray(
      `chains ${surplus.join(', ')}`,
      'no domain has such rules or forwards',
      firewall.removeChains(surplus, view),
    ),
  ];
}

function strayServers({ dhcp }: View, { servers }: Estate, { bridges }: Wanted): Stray[] {
  return [...new Set([...dhcp.keys(), ...servers])]
    .filter(name => !bridges.has(name))
    .map(name =>
      stray(`DHCP server on ${name}`, 'no domain has that bridge', removeDhcp(name, dhcp.get(name))),
    );
}

function strayProxies(
  { proxies }: View,
  { attachments, hasPeers }: Estate,
  { bridges, prefixes }: Wanted,
): Stray[] {
  const known = attachments.flatMap(({ addresses, state }) => (isHere(state) ? addresses : []));
  // Of a domain that is spared nobody knows the wire.
  const unknown = prefixes.filter(prefix => !known.some(one => equal(one.prefix, prefix)));
  const isWanted = (address: Prefix, device: string): boolean =>
    (hasPeers && bridges.has(device)) ||
    known.some(({ prefix, wire }) => wire === device && contains(prefix, address)) ||
    unknown.some(prefix => contains(prefix, address));
  return [...proxies].flatMap(proxy => {
    const [address = '', device = ''] = proxy.split(' ');
    if (isWanted(parsePrefix(address), device)) return [];
    const label = `neighbour proxy for ${address} on ${device}`;
    return [stray(label, 'no domain has it', [removeProxy(address, device)])];
  });
}

const strayResponders = ({ ndp }: View, { bridges }: Wanted): Stray[] =>
  [...ndp.keys()]
    .filter(name => !bridges.has(name))
    .map(name =>
      stray(`neighbour discovery for ${name}`, 'no domain has that bridge', removeResponder(name)),
    );

function strayBridges({ links }: View, { bridges }: Wanted): Stray[] {
  return [...links].flatMap(([name, { alias, kind }]) => {
    const owner = aliasOwner(alias);
    if (kind !== 'bridge' || owner === undefined || bridges.get(name) === owner) return [];
    const why = `the domain with UUID ${owner} has no such bridge`;
    return [stray(`bridge ${name}`, why, [ip('link', 'delete', 'dev', name)])];
  });
}

/** Whose a damaged claim was, nobody knows: it stays while there are domains of which nothing else is known. */
function strayClaims({ attachments, claims, spared }: Estate): Stray[] {
  const own = new Map(attachments.map(attachment => [attachment.domain, claimsOf(attachment)]));
  const mayBeSpared = (domain: string): boolean => spared.has(domain) || (spared.size > 0 && !isUuid(domain));
  return [...claims]
    .filter(([claim, domain]) => !mayBeSpared(domain) && !own.get(domain)?.has(claim))
    .map(([claim]) => stray(`claim ${claim}`, 'no domain holds it', [remove(claimPath(claim))]));
}
