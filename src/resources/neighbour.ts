/** Answers neighbour solicitations (RFC 4861, 7.2.8) for IPv6 addresses that the provider doesn't route to the host. */
import { format, formatLong } from '../model/address.ts';
import { ROUTE_PROTOCOL, responderFile, responderPid } from '../model/names.ts';
import { isSingle, type Prefix } from '../model/prefix.ts';
import { type Action, ip, remove, run, terminate, write } from './action.ts';
import { ABSENT, changed, PRESENT, type Resource } from './resource.ts';

/** The kernel answers for single addresses, and a responder of our own for whole prefixes. */
export function neighbourProxies(bridge: string, prefixes: readonly Prefix[], device: string): Resource[] {
  const ranges = prefixes.filter(one => !isSingle(one));
  return [
    ...prefixes.filter(isSingle).map(address => kernelProxy(format(address), device)),
    ...(ranges.length === 0 ? [] : [responder(bridge, ranges, device)]),
  ];
}

/** With the entry, the kernel also joins the multicast group of its solicitations. It is marked as ours as routes are. */
function kernelProxy(address: string, device: string): Resource {
  return {
    key: `proxy ${address} ${device}`,
    label: `neighbour proxy for ${address} on ${device}`,
    probe: view => (view.proxies.has(`${address} ${device}`) ? PRESENT : ABSENT),
    up: () => [ip('neigh', 'replace', 'proxy', address, 'dev', device, 'protocol', String(ROUTE_PROTOCOL))],
    down: () => [removeProxy(address, device)],
  };
}

export const removeProxy = (address: string, device: string): Action =>
  ip('neigh', 'delete', 'proxy', address, 'dev', device);

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
