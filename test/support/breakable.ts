/** Two hosts with running domains, on which everything that may break is broken: a plain one, and one of every kind. */

import { ip } from '../lab/cable.ts';
import { Guest } from '../lab/guest.ts';
import type { Machine } from '../lab/machine.ts';
import { GATEWAY6, INTERNET, INTERNET6, isIpv6 } from '../lab/site.ts';
import { until } from '../lab/wait.ts';
import { assignmentXml, type DomainOptions, domainXml, uuidOf, type Wanted } from './domain.ts';
import { Listener } from './endpoint.ts';
import type { Target, Uplink } from './harm.ts';
import { FakeLibvirt } from './libvirt.ts';
import { bridgeOf, POOLS6, type Scene } from './scene.ts';
import { laySegment, SEGMENT, SEGMENT_TOML } from './segment.ts';
import type { NewScene } from './suite.ts';
import { Socket } from './syscalls.ts';

/** One way that packets of a domain's address take, and whether they come through. */
export interface Way {
  readonly way: string;
  readonly domain: string;
  /** As `hnet status` writes it. */
  readonly address: string;
  readonly works: () => Promise<boolean>;
}

export interface Breakable {
  readonly one: Scene;
  readonly target: Target;
  readonly ways: readonly Way[];
  /** Who remembers a neighbour, and would go on sending without asking. */
  readonly others: readonly Machine[];
}

/** Those of the ways on which no packet comes through. Nobody remembers a neighbour. */
export async function lost({ others, ways: all }: Breakable, ways = all): Promise<string[]> {
  await Promise.all(others.map(other => other.sh('ip neighbour flush all')));
  const works = await Promise.all(ways.map(way => way.works()));
  return ways.filter((_, number) => works[number] === false).map(({ way }) => way);
}

/** By how the host comes to its addresses. */
export const HOSTS: Readonly<Record<string, (newScene: NewScene, backend: string) => Promise<Breakable>>> = {
  'routed addresses and a port': plain,
  'two uplinks, addresses on the wire and a prefix behind a VM': everyKind,
};

/** What other software and the operator have on this host. */
const THEIRS = `
ip link add virbr9 type bridge; ip address add 192.168.99.1/24 dev virbr9; ip link set virbr9 up
ip rule add from 10.9.9.0/24 lookup 99 pref 100; ip route add 10.9.0.0/16 dev virbr9 table 99
ip route add 10.77.0.0/16 via 192.168.99.2
iptables -N OPERATOR; iptables -A OPERATOR -s 203.0.113.66 -j DROP; iptables -I FORWARD -j OPERATOR
iptables -t nat -A POSTROUTING -s 192.168.99.0/24 -o eth0 -j MASQUERADE
ipset create theirs hash:ip; ipset add theirs 203.0.113.67
nft 'table inet operator { set banned { type ipv4_addr; elements = { 203.0.113.68 }; }
  chain forward { type filter hook forward priority 5; ip saddr @banned drop; }; }'`;

const INNER = '172.30.10.10';
/** A domain with one address, one with rules of its own, one of both families on one bridge, one that is called by a port. */
const PLAIN: Domains = {
  vm1: ['123.45.90.116'],
  vm2: ['123.45.53.12'],
  vm3: ['123.45.53.13', '2001:db8:12:48::113'],
  vm4: [INNER],
};
const [PORT, INNER_PORT] = [2201, 22];
const MORE: Readonly<Record<string, string>> = {
  vm2: '<hnet:policy inbound="deny"><hnet:rule>allow icmp</hnet:rule></hnet:policy>',
  vm4: `<hnet:forward>tcp/${PORT}:${INNER_PORT}</hnet:forward>`,
};

async function plain(newScene: NewScene, backend: string): Promise<Breakable> {
  const one = await newScene({
    pools: POOLS6,
    config: `pools = ${JSON.stringify(POOLS6)}\n[firewall]\nbackend = "${backend}"\n`,
  });
  await one.host.sh(THEIRS);
  await one.base();
  const guests = await run(one, PLAIN, MORE);
  const { vm4, ...seen } = guests;
  return {
    one,
    target: targetOf(PLAIN),
    others: Object.values(guests),
    ways: [
      ...Object.entries(seen).flatMap(([name, guest]) => bothWays(one, name, guest, texts(PLAIN[name]))),
      ...(vm4 === undefined ? [] : byPort(one, vm4)),
    ],
  };
}

const ROUTER = '123.45.90.117';
const [PREFIX, BEHIND] = ['123.45.90.112/30', '123.45.90.114'];
/** A router with a prefix behind it, domains with an address of the second uplink and of both, and two on one bridge. */
const EVERY_KIND: Domains = {
  vm1: [ROUTER, { ip: PREFIX, via: ROUTER }, '2001:db8:12:48::117'],
  vm2: ['203.0.113.5', '2001:db8:113:0:1::5'],
  vm3: ['123.45.90.118', '203.0.113.9'],
};

async function everyKind(newScene: NewScene, backend: string): Promise<Breakable> {
  const one = await newScene({
    pools: POOLS6,
    ipv4: 'on-link',
    ipv6: 'on-link',
    config: `pools = ${JSON.stringify(POOLS6)}
uplink = "eth0"
ipv4 = "on-link"
ipv6 = "on-link"
${SEGMENT_TOML}
[firewall]
backend = "${backend}"
`,
  });
  const peer = await laySegment(one);
  await rememberUplinks(one);
  await one.host.sh(THEIRS);
  await one.base();
  const guests = await run(one, EVERY_KIND);
  const { vm1 } = guests;
  if (vm1 === undefined) throw new Error('Cannot lay the network behind vm1: it does not run');
  const behind = await networkBehind(one, vm1);
  const { internet } = one.lab;
  return {
    one,
    target: { ...targetOf(EVERY_KIND), uplinks: UPLINKS },
    others: [...Object.values(guests), behind, peer, one.lab.gateway],
    ways: [
      ...Object.entries(guests).flatMap(([name, guest]) =>
        bothWays(one, name, guest, texts(EVERY_KIND[name])),
      ),
      ...[
        { way: `to ${BEHIND}, which is behind ${ROUTER}`, works: () => internet.ping(BEHIND) },
        { way: `from ${BEHIND}`, works: () => behind.ping(INTERNET) },
      ].map(way => ({ ...way, domain: 'vm1', address: PREFIX })),
      ...texts(EVERY_KIND['vm2']).map(address => ({
        ...{ way: `to ${address} from its own wire`, domain: 'vm2', address },
        works: () => peer.ping(address),
      })),
    ],
  };
}

const UPLINKS: readonly Uplink[] = [
  { device: 'eth0', table: 26734, up: 'sh -e /run/lab/up-eth0' },
  { device: SEGMENT.device, table: 26735, up: `sh -e /run/lab/up-${SEGMENT.device}` },
];

/** Leaves a script per uplink that brings it up as whoever manages the host's network would: hnet isn't that. */
async function rememberUplinks({ host }: Scene): Promise<void> {
  for (const { device } of UPLINKS)
    await host.sh(`{ echo ip link set ${device} up
      echo "until grep -qx 1 /sys/class/net/${device}/carrier; do sleep 0.05; done"
      ip -6 -o addr show dev ${device} scope global | awk '{ print "ip addr replace", $4, "dev ${device} nodad" }'
      for six in -4 -6; do ip $six route show dev ${device} | grep -v 'proto kernel' |
        sed "s/^/ip $six route replace /; s/$/ dev ${device}/"; done; } >/run/lab/up-${device}`);
}

type Domains = Readonly<Record<string, readonly Wanted[]>>;

/** An address, or a prefix, as it is written. */
const textOf = (wanted: Wanted): string => (typeof wanted === 'string' ? wanted : wanted.ip);

/** The addresses that a guest has itself. */
const texts = (wanted: readonly Wanted[] = []): string[] => wanted.filter(one => typeof one === 'string');

const targetOf = (domains: Domains): Target => ({
  bridges: Object.values(domains).map(([first = '']) => bridgeOf(textOf(first))),
  taps: Object.keys(domains),
  addresses: Object.values(domains).flat().map(textOf),
  uplinks: [],
});

/** Runs the domains, each with all its addresses on one bridge. */
async function run(
  one: Scene,
  domains: Domains,
  more: Readonly<Record<string, string>> = {},
): Promise<Record<string, Guest>> {
  const libvirt = await FakeLibvirt.create(one);
  const guests: Record<string, Guest> = {};
  for (const [name, addresses] of Object.entries(domains)) {
    const bridge = bridgeOf(textOf(addresses[0] ?? ''));
    const pinned = { bridge, scope: `172.30.${bridge.slice(2)}.0/24` };
    const wanted = addresses.map(of => ({ ...(typeof of === 'string' ? { ip: of } : of), ...pinned }));
    const options: DomainOptions = {
      metadata: assignmentXml(uuidOf(name), wanted).replace('</', `${more[name] ?? ''}</`),
    };
    const started = await one.hook('prepare', name, domainXml(name, options));
    if (started.code !== 0 || started.stderr !== '')
      throw new Error(`Cannot start ${name}: ${started.stderr}`);
    const guest = await one.host.guest({ name, bridge });
    for (const address of texts(addresses))
      await guest.static(address, isIpv6(address) ? GATEWAY6 : one.host.address);
    await libvirt.run(name, { ...options, taps: [{ bridge, tap: name }] });
    guests[name] = guest;
  }
  return guests;
}

function bothWays(one: Scene, domain: string, guest: Guest, addresses: readonly string[]): Way[] {
  return addresses.flatMap(address => {
    const outside = isIpv6(address) ? INTERNET6 : INTERNET;
    return [
      { way: `to ${address}`, domain, address, works: () => one.lab.internet.ping(address) },
      { way: `from ${address}`, domain, address, works: () => guest.ping(outside, address) },
    ];
  });
}

function byPort(one: Scene, guest: Guest): Way[] {
  const [domain, address] = ['vm4', INNER];
  return [
    { way: `to ${domain} by a port`, domain, address, works: () => calls(one, guest, address) },
    { way: `from ${address}`, domain, address, works: () => guest.ping(INTERNET, address) },
  ];
}

/** The router's second network, with one machine that hnet knows nothing of. */
async function networkBehind(one: Scene, router: Guest): Promise<Guest> {
  await router.sh(`sysctl -qw net.ipv4.ip_forward=1
    ip link add lan type bridge forward_delay 0; ip addr add 123.45.90.113/30 dev lan; ip link set lan up`);
  const behind = await Guest.create(one.lab.dir, router, 7, { name: 'lan1', bridge: 'lan' });
  await ip(behind.netns, [`addr add ${BEHIND}/30 dev eth0`, 'route add default via 123.45.90.113']);
  return behind;
}

/** How long a call may take, in milliseconds: TCP repeats its first segment after 1, 3 and 7 seconds. */
const CALL = 10_000;

/** Whether the domain is called by the host's port. */
async function calls(one: Scene, guest: Guest, address: string): Promise<boolean> {
  const listener = new Listener(guest, { ip: address, port: INNER_PORT });
  const socket = Socket.inet(one.lab.internet, 'tcp');
  const called = { ip: one.host.address, port: PORT };
  socket.connect(called);
  try {
    return await until(() => socket.connect(called) && listener.hasCaller(), CALL, 'the call');
  } catch {
    return false;
  } finally {
    socket.close();
    listener.close();
  }
}
