/** Answers ARP (RFC 1027) and neighbour solicitations (RFC 4861, 7.2.8) for addresses that the provider doesn't route here. */
import { format, formatLong, routeKey } from '../model/address.ts';
import type { Address } from '../model/bridge.ts';
import { metricOf } from '../model/move.ts';
import { ROUTE_PROTOCOL, responderFile, responderPid } from '../model/names.ts';
import { addresses, isSingle, type Prefix, size } from '../model/prefix.ts';
import type { View } from '../model/view.ts';
import { type Action, announce, ip, remove, run, terminate, write } from './action.ts';
import { ABSENT, changed, PRESENT, type Resource } from './resource.ts';

/** The kernel isn't asked to hold more entries for one prefix than a /20 has; admission.ts refuses it. */
export const MOST_PROXIES = 4096n;

/**
 * The kernel answers for single addresses, so an IPv4 prefix has an entry for each of its addresses. A responder of our own
 * answers for whole IPv6 prefixes. An entry answers only while a route of the host leads to the address, so one that is left
 * over says nothing.
 */
export function neighbourProxies(bridge: string, prefixes: readonly Prefix[], device: string): Resource[] {
  const isListed = (one: Prefix): boolean => isSingle(one) || one.family === 4;
  const ranges = prefixes.filter(one => !isListed(one));
  return [
    ...prefixes.filter(isListed).map(one => kernelProxy(one, device)),
    ...(ranges.length === 0 ? [] : [responder(bridge, ranges, device)]),
  ];
}

/** With the entry, the kernel also joins the multicast group of its solicitations. */
function kernelProxy(prefix: Prefix, device: string): Resource {
  const all = [...addresses(prefix)].map(format);
  const missing = ({ proxies }: View): string[] =>
    all.filter(address => !proxies.has(`${address} ${device}`));
  return {
    key: `proxy ${format(prefix)} ${device}`,
    label: `neighbour proxy for ${format(prefix)} on ${device}`,
    probe: view => {
      const count = missing(view).length;
      if (count === 0) return PRESENT;
      return count === all.length ? ABSENT : changed(`${count} of its ${all.length} addresses are missing`);
    },
    up: view => [
      ...missing(view).map(address => addProxy(address, device)),
      // The gateway may know it from elsewhere.
      announce(device, format(prefix)),
    ],
    down: () => all.map(address => removeProxy(address, device)),
  };
}

/** With it the kernel answers for an address on an interface. It is marked as ours, as routes are. */
export const addProxy = (address: string, device: string): Action =>
  ip('neigh', 'replace', 'proxy', address, 'dev', device, 'protocol', String(ROUTE_PROTOCOL));

export const removeProxy = (address: string, device: string): Action =>
  ip('neigh', 'delete', 'proxy', address, 'dev', device);

/** For larger prefixes nobody knows which addresses the domain has, and each has an entry in a table that all bridges share. */
const MOST_AWAITED = 16n;

/**
 * Makes the packets for a domain that is about to come wait at its interface: the kernel would ask for it, get no answer
 * while its processors stand still, and keep a quarter as many, for three seconds at most. An entry ends with its bridge,
 * as the standby route does, and that shows whether it is there. Afterwards the kernel asks again when it likes.
 * @param macs those on its bridge; of several nobody knows which one has the address
 */
export function awaitedNeighbours(
  { prefix, bridge, via }: Pick<Address, 'prefix' | 'bridge' | 'via'>,
  macs: readonly string[] = [],
): Resource[] {
  const [mac] = macs;
  if (mac === undefined || macs.length > 1 || via !== undefined || size(prefix) > MOST_AWAITED) return [];
  const put = (state: 'permanent' | 'stale'): Action[] =>
    [...addresses(prefix)].map(address =>
      ip('neigh', 'replace', format(address), 'lladdr', mac, 'nud', state, 'dev', bridge),
    );
  const key = routeKey(prefix, metricOf(prefix.family, 'incoming'));
  return [
    {
      key: `awaited ${format(prefix)} ${bridge}`,
      label: `neighbour ${format(prefix)} on ${bridge}`,
      probe: view => (view.routes.get(key)?.dev === bridge ? PRESENT : ABSENT),
      up: () => put('permanent'),
      down: () => put('stale'),
    },
  ];
}

/** One ndppd(1) per bridge, as with DHCP. `static`: it answers without asking, because the route decides. */
function responder(bridge: string, ranges: readonly Prefix[], device: string): Resource {
  const file = responderFile(bridge);
  const rules = ranges.map(range => `  rule ${formatLong(range)} {\n    static\n  }\n`);
  const text = `# written by hnet\nproxy ${device} {\n  router yes\n${rules.join('')}}\n`;
  return {
    key: `responder ${bridge}`,
    label: `neighbour discovery for ${bridge} on ${device}`,
    probe: view => {
      const actual = view.ndp.get(bridge);
      if (actual === undefined) return ABSENT;
      return actual === text ? PRESENT : changed('it runs with another configuration');
    },
    up: () => [
      stopResponder(bridge),
      write(file, text),
      run(['ndppd', '-d', '-c', file, '-p', responderPid(bridge)]),
    ],
    down: () => removeResponder(bridge),
  };
}

const stopResponder = (bridge: string): Action => terminate(responderPid(bridge), responderFile(bridge));

export const removeResponder = (bridge: string): Action[] => [
  stopResponder(bridge),
  remove(responderPid(bridge)),
  remove(responderFile(bridge)),
];
