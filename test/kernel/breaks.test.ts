import { expect } from 'chai';
import fc from 'fast-check';
import type { Guest } from '../lab/guest.ts';
import { GATEWAY6, INTERNET, INTERNET6, isIpv6 } from '../lab/site.ts';
import { until } from '../lab/wait.ts';
import { hnet } from '../support/command.ts';
import { assignmentXml, type DomainOptions, domainXml, uuidOf } from '../support/domain.ts';
import { Listener } from '../support/endpoint.ts';
import { type Harm, harms } from '../support/harm.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import { bridgeOf, POOLS6, type Scene } from '../support/scene.ts';
import { difference } from '../support/snapshot.ts';
import { kernelSuite } from '../support/suite.ts';
import { closeSockets, Socket } from '../support/syscalls.ts';

/**
 * How many times a host is damaged with each backend. The gate takes a sample; before a release, by hand:
 * HNET_DAMAGE=100 ONLY='whatever breaks' test/run kernel. A failure names its seed: HNET_SEED=… repeats it.
 */
const ROUNDS = Number(process.env['HNET_DAMAGE'] ?? 5);
const SEED = Number(process.env['HNET_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** Four domains: one address, one with rules of its own, one of both families on one bridge, one that is called by a port. */
const DOMAINS: Readonly<Record<string, readonly string[]>> = {
  vm1: ['123.45.90.116'],
  vm2: ['123.45.53.12'],
  vm3: ['123.45.53.13', '2001:db8:12:48::113'],
  vm4: ['172.30.10.10'],
};
const ADDRESSES = Object.values(DOMAINS).flat();
const TAPS = Object.keys(DOMAINS);
const BRIDGES = Object.values(DOMAINS).map(([first = '']) => bridgeOf(first));
const PRIVATE = DOMAINS['vm4'] ?? [];
const [PORT, INNER_PORT] = [2201, 22];
const FORWARD = `<hnet:forward>tcp/${PORT}:${INNER_PORT}</hnet:forward>`;
const POLICY = '<hnet:policy inbound="deny"><hnet:rule>allow icmp</hnet:rule></hnet:policy>';

const MORE: Readonly<Record<string, string>> = { vm2: POLICY, vm4: FORWARD };

for (const backend of ['iptables', 'nftables']) {
  kernelSuite(`whatever breaks (${backend})`, scene => {
    after(closeSockets);

    it(`${ROUNDS} times: check never says ok of a VM that is cut off, one sync brings all back`, async () => {
      const [one, guests] = await running(await scene({ pools: POOLS6 }), backend);
      const target = { bridges: BRIDGES, taps: TAPS, addresses: ADDRESSES };
      for (const [round, damage] of fc.sample(harms(target), { numRuns: ROUNDS, seed: SEED }).entries())
        await suffer(one, guests, damage, `HNET_SEED=${SEED}, round ${round}`);
    });
  });
}

async function suffer(
  one: Scene,
  guests: readonly Guest[],
  damage: readonly Harm[],
  where: string,
): Promise<void> {
  const done: string[] = [];
  for (const { what, script } of damage) {
    const { code, stdout, stderr } = await one.host.attempt(['sh', '-e'], { input: script });
    if (code !== 0) throw new Error(`Cannot do harm, ${where}: ${what}: ${stderr}\n${script}`);
    done.push(`${what} ${stdout}`.trim());
  }
  const told = `${where}: ${done.join('; ')}`;
  const seen = await hnet(one, 'check');
  if (seen.code === 0) expect(await lost(one, guests), `${told}: check said ok`).to.deep.equal([]);
  for (const { undo } of [...damage].reverse()) if (undo !== undefined) await one.host.sh(`${undo} || true`);
  const before = await foreign(one);
  const { code, stdout, stderr } = await hnet(one, 'sync');
  expect(code, `${told}: sync\n${stdout}\n${stderr}`).to.equal(0);
  expect(difference(before, await foreign(one)).join('\n'), `${told}: what isn't ours`).to.equal('');
  const after = await hnet(one, 'check');
  expect(`${after.stdout}${after.stderr}`, `${told}: after sync`).to.equal('Everything is as it should be');
  expect(await lost(one, guests), `${told}: after sync said\n${stdout}`).to.deep.equal([]);
}

/** The ways, from outside and to it, on which no packet comes through. Nobody remembers a neighbour. */
async function lost(one: Scene, guests: readonly Guest[]): Promise<string[]> {
  await Promise.all(guests.map(guest => guest.sh('ip neighbour flush all')));
  const ways = guests.flatMap(guest =>
    (DOMAINS[guest.port] ?? []).flatMap(address => [
      PRIVATE.includes(address)
        ? { way: `to ${address} by a port`, try: () => calls(one, guest, address) }
        : { way: `to ${address}`, try: () => one.lab.internet.ping(address) },
      { way: `from ${address}`, try: () => guest.ping(isIpv6(address) ? INTERNET6 : INTERNET, address) },
    ]),
  );
  const works = await Promise.all(ways.map(way => way.try()));
  return ways.filter((_, number) => works[number] === false).map(({ way }) => way);
}

/** How long a call may take, in milliseconds: TCP repeats its first segment after 1, 3 and 7 seconds. */
const CALL = 10_000;

/** Whether the domain is called by the host's port. */
async function calls(one: Scene, guest: Guest, ip: string): Promise<boolean> {
  const listener = new Listener(guest, { ip, port: INNER_PORT });
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

async function running(one: Scene, backend: string): Promise<[Scene, Guest[]]> {
  await one.configure(`pools = ${JSON.stringify(POOLS6)}\n[firewall]\nbackend = "${backend}"\n`);
  const libvirt = await FakeLibvirt.create(one);
  await one.host.sh(THEIRS);
  await one.base();
  const guests: Guest[] = [];
  for (const [name, addresses] of Object.entries(DOMAINS)) {
    const bridge = bridgeOf(addresses[0] ?? '');
    const scope = scopeOf(bridge);
    const wanted = addresses.map(ip => ({ ip, bridge, scope }));
    const metadata = assignmentXml(uuidOf(name), wanted);
    const options: DomainOptions = {
      metadata: metadata.replace('</', `${MORE[name] ?? ''}</`),
    };
    const started = await one.hook('prepare', name, domainXml(name, options));
    expect(started, name).to.deep.equal({ code: 0, stdout: '', stderr: '' });
    const guest = await one.host.guest({ name, bridge });
    for (const ip of addresses) await guest.static(ip, isIpv6(ip) ? GATEWAY6 : one.host.address);
    await libvirt.run(name, { ...options, taps: [{ bridge, tap: name }] });
    guests.push(guest);
  }
  expect(await lost(one, guests)).to.deep.equal([]);
  return [one, guests];
}

/** The article's scope for a bridge. */
const scopeOf = (bridge: string): string => `172.30.${bridge.slice(2)}.0/24`;

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

async function foreign(one: Scene): Promise<string> {
  const text = await one.host.sh(`ip -o address show virbr9; ip -o address show eth0; ip rule; ip -6 rule
    ip route show table 99; ip route; ip -6 route
    for tool in iptables ip6tables; do $tool-save | sed -e '/^#/d' -e 's/\\[[0-9]*:[0-9]*\\]//'; done
    ipset list theirs | grep -v References; nft -s list table inet operator 2>/dev/null || true`);
  return text
    .replaceAll(' linkdown', '')
    .split('\n')
    .filter(line => !OURS.test(line))
    .join('\n');
}

/** Lines that are hnet's, the kernel's own on its bridges, or a table of iptables' that says nothing. */
const OURS = new RegExp(
  `proto 104|lookup 26734|hnet|dev (${BRIDGES.join('|')}) proto kernel|^[*]|^:[A-Z]+ ACCEPT|^COMMIT$`,
);
