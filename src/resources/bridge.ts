import { format, formatLong } from '../model/address.ts';
import type { BridgeSpec } from '../model/bridge.ts';
import {
  aliasOwner,
  bridgeMac,
  DEVICE_GROUP,
  GATEWAY6,
  gatewayOf,
  LEAVING_NAME,
  leavingName,
  linkAlias,
  privateSubnet,
} from '../model/names.ts';
import { isAdvertised, nth, type Prefix } from '../model/prefix.ts';
import type { Link, View } from '../model/view.ts';
import { type Action, ip, launch, sysctl, sysctlPath } from './action.ts';
import { addProxy, removeProxy } from './neighbour.ts';
import { ABSENT, changed, type Finding, foreign, PRESENT, type Resource } from './resource.ts';

/**
 * STP and the forwarding delay would hold back the first frames. Without ageing and snooping the bridge, which has one
 * port, learns nothing, so a guest can't fill the forwarding table with made-up sources.
 */
const SETTINGS = ['stp_state', '0', 'forward_delay', '0', 'ageing_time', '0', 'mcast_snooping', '0'];

/**
 * The bridge of a domain: the wire between the host and it, which no other domain shares.
 *
 * A bridge whose MTU nobody has set takes on that of its smallest port, and the kernel takes a value that it has already for
 * no setting (`dev_set_mtu_ext`). So it gets another one first.
 * @param mtu in bytes
 */
export function bridge(spec: BridgeSpec, mtu: number): Resource {
  const { name, scope } = spec;
  return {
    key: `bridge ${name}`,
    label: `bridge ${name}`,
    probe: view => probeBridge(spec, { mac: bridgeMac(scope), mtu }, view.links.get(name)),
    up: view => [
      ...(view.links.has(name)
        ? correctBridge(spec, mtu)
        : [ip('link', 'add', 'name', name, ...made(spec, mtu))]),
      switchOn(spec, mtu),
    ],
    down: () => removeBridge(name),
  };
}

/** What a bridge is made with. */
const made = ({ scope }: BridgeSpec, mtu: number): string[] => [
  ...['mtu', String(mtu + 1)],
  ...['address', bridgeMac(scope)],
  ...['group', String(DEVICE_GROUP)],
  ...['type', 'bridge', ...SETTINGS],
];

const correctBridge = (spec: BridgeSpec, mtu: number): Action[] => [
  // While STP is on, the kernel takes no forwarding delay below two seconds.
  ip('link', 'set', 'dev', spec.name, 'type', 'bridge', 'stp_state', '0'),
  ip('link', 'set', 'dev', spec.name, 'arp', 'on', ...made(spec, mtu)),
];

/** No link-local address by itself: IPv6 is off on a bridge until an IPv6 address is assigned, and then has ours. */
const switchOn = ({ name, domain }: BridgeSpec, mtu: number): Action =>
  ip(
    ...['link', 'set', 'dev', name],
    ...['alias', linkAlias(domain)],
    ...['mtu', String(mtu)],
    ...['addrgenmode', 'none'],
    'up',
  );

/**
 * Deleting a link takes the kernel's grace period, 25 to 40 ms. So the bridge gives up its name at once, for the next
 * start, and a process of its own deletes it under another. If that was killed, the next stop deletes the bridge first.
 */
function removeBridge(name: string): Action[] {
  const leaving = leavingName(name);
  return [
    ip('link', 'delete', 'dev', leaving),
    ip('link', 'set', 'dev', name, 'down'),
    ip('link', 'set', 'dev', name, 'name', leaving),
    launch(['ip', 'link', 'delete', 'dev', leaving]),
  ];
}

/** Bridges that gave up their names and still exist. */
export function leavingBridges({ links }: View): Resource[] {
  const isOurs = (name: string): boolean => aliasOwner(links.get(name)?.alias ?? '') !== undefined;
  const leaving = [...links.keys()].filter(name => LEAVING_NAME.test(name) && isOurs(name));
  return leaving.map(name => ({
    key: `bridge ${name}`,
    label: `bridge ${name}`,
    probe: () => PRESENT,
    up: () => [],
    down: () => [ip('link', 'delete', 'dev', name)],
  }));
}

function probeBridge(
  { domain }: BridgeSpec,
  { mac, mtu }: Pick<Link, 'mac' | 'mtu'>,
  link: Link | undefined,
): Finding {
  if (link === undefined) return ABSENT;
  if (isHalfMade(link, mac)) return changed('half made');
  const owner = aliasOwner(link.alias);
  if (link.kind !== 'bridge' || owner === undefined)
    return foreign("an interface of that name exists and isn't hnet's");
  if (owner !== domain) return foreign(`it belongs to the domain with UUID ${owner}`);
  if (link.group !== DEVICE_GROUP) return changed(`device group is ${link.group}`);
  if (link.mac !== mac) return changed(`MAC is ${link.mac}`);
  if (link.mtu !== mtu) return changed(`MTU is ${link.mtu}, not ${mtu}`);
  if (!link.up) return changed('down');
  if (!link.arp) return changed('ARP is off');
  const { stp, forwardDelay, ageingTime, mcastSnooping } = link.bridge ?? {};
  const settings = Object.entries({ stp, forwardDelay, ageingTime, mcastSnooping });
  const wrong = settings.find(([, value]) => value !== 0);
  return wrong === undefined ? PRESENT : changed(`${wrong[0]} is ${wrong[1]}`);
}

/** The kernel gives a link its group and MAC when it makes it, and its alias only by a second command. */
const isHalfMade = ({ kind, alias, group, mac }: Link, own: string): boolean =>
  kind === 'bridge' && alias === '' && group === DEVICE_GROUP && mac === own;

/** The host's address on the bridge: a guest's gateway while it lives on the bootstrap lease. */
export const gatewayAddress = ({ name, scope }: BridgeSpec): Resource =>
  addressOn(name, `${format(gatewayOf(scope))}/${scope.length}`);

const addressOn = (name: string, address: string, ...options: string[]): Resource => ({
  key: `address ${address} ${name}`,
  label: `address ${address} on ${name}`,
  probe: view => (view.addresses.get(name)?.includes(address) ? PRESENT : ABSENT),
  up: () => [ip('address', 'replace', address, 'dev', name, ...options)],
  down: () => [ip('address', 'delete', address, 'dev', name)],
});

/** Where the kernel is told which ARP requests it ignores; an interface obeys the larger of its own and this. */
export const ARP_IGNORE = sysctlPath('ipv4', 'all', 'arp_ignore');

/**
 * The host's own address on the bridge, where the host answers for no address of another interface (arp_ignore 1 and 2, as
 * load balancers and Kubernetes set it): a static guest asks for it there, as its gateway. With 2 the guest must also be
 * in the address's subnet, so that is everything. No route comes along, and the kernel goes on taking the uplink's as source.
 */
export function gatewayAnswer(name: string, gateway: Prefix): Resource {
  const address = `${format(gateway)}/0`;
  const stands = (view: View): boolean => view.addresses.get(name)?.includes(address) === true;
  const remove = ip('address', 'delete', address, 'dev', name);
  return {
    key: `answer ${name}`,
    label: `answer for ${format(gateway)} on ${name}`,
    probe: view => {
      if (stands(view) === isNeeded(view)) return PRESENT;
      return isNeeded(view) ? ABSENT : changed('arp_ignore is off: nothing needs it');
    },
    up: view => {
      if (isNeeded(view)) return [ip('address', 'replace', address, 'dev', name, 'noprefixroute')];
      return stands(view) ? [remove] : [];
    },
    down: view => (stands(view) ? [remove] : []),
  };
}

const isNeeded = (view: View): boolean => ['1', '2'].includes(view.sysctl(ARP_IGNORE) ?? '');

/**
 * Answers on the bridge for the other hosts of a cluster: a guest that came from one of them and configures itself goes on
 * to ask for that host's own address as its gateway, and what it sends there is routed from here. At once: the kernel would
 * wait up to 0.8 s (arp(7), proxy_delay). A bridge that goes takes its answers along.
 */
export function peerAnswers(name: string, peers: readonly Prefix[]): Resource {
  const delay = `/proc/sys/net/ipv4/neigh/${name}/proxy_delay`;
  const wanted = new Set(peers.map(format));
  const standing = ({ proxies }: View): string[] =>
    [...proxies].flatMap(one => (one.endsWith(` ${name}`) ? one.split(' ').slice(0, 1) : []));
  const differences = (view: View) => {
    const there = standing(view);
    return {
      missing: [...wanted].filter(one => !there.includes(one)),
      surplus: there.filter(one => !wanted.has(one)),
    };
  };
  return {
    key: `peers ${name}`,
    label: `answers for other hosts on ${name}`,
    probe: view => {
      const { missing, surplus } = differences(view);
      if (missing.length > 0)
        return missing.length === wanted.size ? ABSENT : changed(`not for ${missing[0]}`);
      if (surplus.length > 0) return changed(`also for ${surplus[0]}, which is no host's any more`);
      return wanted.size === 0 || view.sysctl(delay) === '0' ? PRESENT : changed('they come late');
    },
    up: view => {
      const { missing, surplus } = differences(view);
      return [
        ...(wanted.size === 0 ? [] : [sysctl(delay, '0')]),
        ...missing.map(one => addProxy(one, name)),
        ...surplus.map(one => removeProxy(one, name)),
      ];
    },
    down: view => standing(view).map(one => removeProxy(one, name)),
  };
}

/**
 * The host's IPv6 addresses on a bridge: the guest's gateway, which is link-local and alone brings a route along; one of a
 * private subnet, or dnsmasq would lease no address there; and each whole subnet's anycast address of routers (RFC 4291,
 * 2.6.1), or dnsmasq would not advertise it. No duplicate address detection: a guest could answer it, and so take the
 * gateway's place.
 */
export function ipv6Addresses(spec: BridgeSpec): Resource[] {
  const { name, scope, prefixes } = spec;
  const ipv6 = prefixes.filter(({ family }) => family === 6);
  const addresses = [
    `${format(GATEWAY6)}/64`,
    ...(ipv6.every(isAdvertised) ? [] : [`${format(nth(privateSubnet(scope), 1n))}/64`]),
    ...ipv6.filter(isAdvertised).map(formatLong),
  ];
  return addresses.map((address, place) =>
    addressOn(name, address, 'nodad', ...(place === 0 ? [] : ['noprefixroute'])),
  );
}
