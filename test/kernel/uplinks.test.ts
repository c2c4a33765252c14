import { expect } from 'chai';
import { carrier, ip } from '../lab/cable.ts';
import type { Guest } from '../lab/guest.ts';
import type { Machine } from '../lab/machine.ts';
import { INTERNET, INTERNET6, isIpv6 } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { COMMAND, NODE } from '../support/build.ts';
import { hnet, ok } from '../support/command.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import { bridgeOf, gatewayFor, POOLS, POOLS6, REAL, type Scene } from '../support/scene.ts';
import { laySegment, SEGMENT, SEGMENT_TOML } from '../support/segment.ts';
import { isAnswered } from '../support/silence.ts';
import { expectUnchanged, snapshot } from '../support/snapshot.ts';
import { kernelSuite, type NewScene } from '../support/suite.ts';
import { layTunnel, seenFrom, TUNNEL, WAYS } from '../support/tunnel.ts';

const BACKENDS = ['iptables', 'nftables'] as const;

/** Whether the daemon has looked at the host, and doesn't any more: by its questions to `ip` within two seconds. */
async function isIdle({ host }: Scene): Promise<boolean> {
  const looks = 'grep -c -e "-json -details -force" /run/lab/calls || true';
  const [before, after] = (await host.sh(`${looks}; sleep 2; ${looks}`)).trim().split('\n');
  return before === after && Number(after) > 0;
}

const PROXY_DELAY = '/proc/sys/net/ipv4/neigh/eth0/proxy_delay';

for (const backend of BACKENDS)
  kernelSuite(`a provider that looks for IPv4 addresses on the wire (${backend})`, newScene => {
    it('is answered for assigned addresses, for each of a subnet, and for nothing else', async () => {
      const config = `pools = ${JSON.stringify(POOLS)}\nipv4 = "on-link"\n[firewall]\nbackend = "${backend}"\n`;
      const one = await newScene({ pools: POOLS, ipv4: 'on-link', config });
      await one.base();
      const based = await snapshot(one.host);
      const libvirt = await FakeLibvirt.create(one);
      const guest = await one.start('vm1', '123.45.53.12');
      await libvirt.run('vm1', { addresses: ['123.45.53.12'] });
      await one.prepare('vm2', ['123.45.90.116/30']);
      await libvirt.run('vm2', { addresses: ['123.45.90.116/30'] });
      const subnet = await one.host.guest({ name: 'vm2', bridge: 'br116' });
      for (const address of ['123.45.90.116', '123.45.90.119'])
        await subnet.static(address, one.host.address);

      expect(await one.host.read(PROXY_DELAY)).to.equal('0');
      for (const address of ['123.45.53.12', '123.45.90.116', '123.45.90.119'])
        expect(await one.lab.internet.ping(address), address).to.equal(true);
      expect(await guest.ping(INTERNET)).to.equal(true);
      expect(await guest.ping('123.45.90.119'), 'one VM to the other').to.equal(true);
      for (const address of ['123.45.53.13', '123.45.90.113'])
        expect(await isAnswered(one.lab.internet, address), `${address}, which nobody holds`).to.equal(false);
      const known = await one.lab.gateway.run(['ip', 'neigh', 'show', 'dev', 'h1', 'to', '123.45.53.13']);
      expect(known).not.to.contain('lladdr');
      expect(await hnet(one, 'check')).to.include({ code: 0 });

      await one.host.sh(`ip neighbour del proxy 123.45.53.12 dev eth0; ip neighbour del proxy 123.45.90.119 dev eth0
        echo 80 >${PROXY_DELAY}`);
      const found = (await hnet(one, 'check')).stdout;
      for (const what of [
        'neighbour proxy for 123.45.53.12 on eth0',
        'neighbour proxy for 123.45.90.116/30 on eth0',
        'IPv4 neighbour proxy on eth0',
      ])
        expect(found).to.contain(what);
      await ok(one, 'sync');
      await one.lab.gateway.run(['ip', 'neigh', 'flush', 'dev', 'h1']);
      for (const address of ['123.45.53.12', '123.45.90.119'])
        expect(await one.lab.internet.ping(address), address).to.equal(true);

      // The kernel tells nobody of it.
      await one.replace('/usr/sbin/ip', `echo "$*" >>/run/lab/calls; exec ${REAL}/ip "$@"`);
      const watch = one.host.start([...NODE, COMMAND, 'watch']);
      await until(() => isIdle(one), PATIENCE, 'the first look');
      await one.host.run([`${REAL}/ip`, 'neighbour', 'del', 'proxy', '123.45.53.12', 'dev', 'eth0']);
      const isBack = async () => (await one.host.sh('ip neigh show proxy')).includes('123.45.53.12');
      await until(isBack, PATIENCE, 'the repair');
      await watch.stop();

      await one.host.run([
        'ip',
        'neigh',
        'replace',
        'proxy',
        '123.45.90.113',
        'dev',
        'eth0',
        'protocol',
        '104',
      ]);
      expect((await ok(one, 'sync')).join('\n')).to.contain('neighbour proxy for 123.45.90.113 on eth0');
      for (const one_ of [guest, subnet]) await one_.unplug();
      for (const name of ['vm1', 'vm2']) await one.release(name);
      await expectUnchanged(one.host, based);
    });
  });

kernelSuite('how addresses come to the host', newScene => {
  it('changes in hnet.toml, and running domains follow: on the wire, and back', async () => {
    const routed = `pools = ${JSON.stringify(POOLS6)}\n`;
    const one = await newScene({ pools: POOLS6, ipv4: 'on-link', ipv6: 'on-link', config: routed });
    await one.base();
    const libvirt = await FakeLibvirt.create(one);
    const [v4, v6] = ['123.45.53.12', '2001:db8:12:48::12'];
    const addresses = [v4, { ip: v6, bridge: 'br12', scope: '172.30.12.0/24' }];
    await one.prepare('vm1', addresses);
    const guest = await one.host.guest({ name: 'vm1', bridge: 'br12' });
    for (const address of [v4, v6]) await guest.static(address, gatewayFor(address, one.host));
    await libvirt.run('vm1', { addresses, taps: [{ bridge: 'br12', tap: 'vm1' }] });
    for (const address of [v4, v6])
      expect(await one.lab.internet.ping(address), `${address}, for which nobody answers`).to.equal(false);

    await one.configure(`ipv4 = "on-link"\nipv6 = "on-link"\n${routed}`);
    const found = await hnet(one, 'check', 'vm1');
    expect(found.code, found.stdout).to.equal(3);
    expect(found.stdout).to.contain(
      `by hnet.toml ${v4} is looked for on eth0, and it was set up as routed here (and 1 more)`,
    );
    expect((await hnet(one, 'sync', '--dry-run')).stdout).to.contain('~ "vm1": uplink (');
    expect(await ok(one, 'sync')).to.include('changed: br12 of "vm1" (hnet.toml has changed)');
    for (const address of [v4, v6]) expect(await one.lab.internet.ping(address), address).to.equal(true);
    expect((await hnet(one, 'check')).stdout).to.equal('Everything is as it should be');

    await one.configure(routed);
    expect((await hnet(one, 'check')).stdout).to.contain(
      `by hnet.toml ${v4} is routed here, and it was set up as looked for on eth0`,
    );
    await ok(one, 'sync');
    expect(await one.host.sh('ip neigh show proxy; ip -6 neigh show proxy')).to.equal('');
    expect((await hnet(one, 'check')).stdout).to.equal('Everything is as it should be');
  });
});

/** The MAC by which the gateway knows an address; it was told another one, by a host that is gone. */
const knownAs = async (one: Scene, family: 4 | 6, address: string): Promise<string | undefined> => {
  const shown = await one.lab.gateway.run(['ip', `-${family}`, 'neigh', 'show', address, 'dev', 'h1']);
  return /lladdr (\S+)/.exec(shown)?.[1];
};

kernelSuite('an address that comes from another host', newScene => {
  it('is announced on the wire, so that the gateway forgets where it was', async () => {
    const config = `pools = ${JSON.stringify(POOLS6)}\nipv4 = "on-link"\nipv6 = "on-link"\n`;
    const one = await newScene({ pools: POOLS6, ipv4: 'on-link', ipv6: 'on-link', config });
    await one.base();
    const elsewhere = '52:54:00:99:99:99';
    for (const address of [MAIN, MAIN6])
      await one.lab.gateway.run([
        'ip',
        'neigh',
        'replace',
        address,
        'lladdr',
        elsewhere,
        'dev',
        'h1',
        'nud',
        'reachable',
      ]);
    const bridge = bridgeOf(MAIN);
    await one.prepare(
      'vm1',
      [MAIN, MAIN6].map(ip => ({ ip, bridge, scope: '172.30.116.0/24' })),
    );
    await until(
      async () => (await knownAs(one, 4, MAIN)) === one.host.site.mac,
      PATIENCE,
      'IPv4 to be announced',
    );
    await until(
      async () => (await knownAs(one, 6, MAIN6)) === one.host.site.mac,
      PATIENCE,
      'IPv6 to be announced',
    );
  });
});

for (const backend of BACKENDS)
  kernelSuite(`a host without IPv4 (${backend})`, newScene => {
    it('serves IPv6, and leads nobody astray by an IPv4 lease', async () => {
      const pools = POOLS6.filter(isIpv6);
      const config = `pools = ${JSON.stringify(pools)}\n[firewall]\nbackend = "${backend}"\n`;
      const one = await newScene({ pools, config });
      await one.host.sh('ip -4 addr flush dev eth0; echo 0 >/proc/sys/net/ipv4/ip_forward');
      expect(await one.base()).to.contain('wrote uplink = "eth0" into /etc/hnet/hnet.toml');
      const based = await snapshot(one.host);
      const libvirt = await FakeLibvirt.create(one);
      const other = '2001:db8:12:48::117';
      const guest = await one.start('vm1', MAIN6);
      const second = await one.start('vm2', other);
      for (const [name, address] of Object.entries({ vm1: MAIN6, vm2: other }))
        await libvirt.run(name, { addresses: [address], taps: [{ bridge: bridgeOf(address), tap: name }] });
      expect(await one.lab.internet.ping(MAIN6)).to.equal(true);
      expect(await guest.ping(INTERNET6)).to.equal(true);
      expect(await second.ping(MAIN6)).to.equal(true);
      expect(await one.host.ping(MAIN6)).to.equal(true);
      expect(await guest.ping(one.host.address6)).to.equal(true);
      expect((await hnet(one, 'check')).stdout).to.equal('Everything is as it should be');
      expect((await hnet(one, 'status')).stdout).to.match(/ok$/m);
      const asked = await guest.attempt([
        'busybox',
        'udhcpc',
        '-f',
        '-q',
        '-n',
        '-t2',
        '-T1',
        '-i',
        'eth0',
        '-s',
        '/bin/true',
      ]);
      expect(asked.code, asked.stderr).to.equal(1);
      expect(await ok(one, 'sync')).to.deep.equal([]);
      for (const [name, one_] of Object.entries({ vm1: guest, vm2: second })) {
        await one_.unplug();
        await one.release(name);
      }
      await expectUnchanged(one.host, based);
    });
  });

/** A second cable to the same gateway, as a host with two interfaces has it; both have the default route. */
async function twoCables({ host, lab }: Scene): Promise<void> {
  await ip(lab.gateway.netns, [
    `link add h1b type veth peer name eth1 netns ${host.netns}`,
    'addr add 198.51.100.1/30 dev h1b',
    'link set h1b up',
    `route replace 123.45.90.112/29 nexthop via ${host.address} dev h1 nexthop via 198.51.100.2 dev h1b`,
  ]);
  await host.sh('ip addr add 198.51.100.2/30 dev eth1; ip link set eth1 up');
  await carrier(host.netns, 'eth1');
  await host.sh(
    'ip route replace default nexthop via 123.45.12.1 dev eth0 onlink nexthop via 198.51.100.1 dev eth1',
  );
}

/** What drops all that comes by one of the two. */
const BY_ONE: Readonly<Record<string, { harm: string; mend: string; says: RegExp }>> = {
  'a reverse-path check, where the other has the default route': {
    harm: 'ip route replace default via 123.45.12.1 dev eth0 onlink; echo 1 >/proc/sys/net/ipv4/conf/eth1/rp_filter',
    mend: `echo 0 >/proc/sys/net/ipv4/conf/eth1/rp_filter
      ip route replace default nexthop via 123.45.12.1 dev eth0 onlink nexthop via 198.51.100.1 dev eth1`,
    says: /the reverse-path check of eth1 \(rp_filter is 1\) drops what is sent to it: the way back leads to eth0/,
  },
  'a rule': {
    harm: 'ip rule add pref 100 iif eth1 to 123.45.90.116 prohibit',
    mend: 'ip rule del pref 100',
    says: /the rule 100 \(.*eth1.*\) forbids what is sent to it/,
  },
};

for (const backend of BACKENDS)
  kernelSuite(`two interfaces that share the default route (${backend})`, newScene => {
    it('are both the uplink: packets come and go by either', async () => {
      const config = `pools = ${JSON.stringify(POOLS)}\n[firewall]\nbackend = "${backend}"\n`;
      const one = await newScene({ pools: POOLS, config });
      await twoCables(one);
      expect(await one.base()).to.contain('wrote uplink = ["eth0", "eth1"] into /etc/hnet/hnet.toml');
      const libvirt = await FakeLibvirt.create(one);
      const guest = await one.start('vm1', MAIN);
      await libvirt.run('vm1', { addresses: [MAIN], taps: [{ bridge: 'br116', tap: 'vm1' }] });
      // Which way a packet takes depends on both of its ends.
      const many = Array.from({ length: 16 }, (_, place) => `123.45.200.${100 + place}`);
      await ip(
        one.lab.internet.netns,
        many.map(address => `addr add ${address}/32 dev eth0`),
      );
      const sent = async (device: string): Promise<number> =>
        Number(await one.host.read(`/sys/class/net/${device}/statistics/tx_packets`));
      const before = await Promise.all(['eth0', 'eth1'].map(sent));
      const scope = '172.30.116.50';
      await guest.sh(`ip addr add ${scope}/32 dev eth0`);
      const answers = await Promise.all([
        ...many.map(address => guest.ping(address, MAIN)),
        ...many.map(address => one.lab.internet.ping(MAIN, address)),
        ...many.map(address => guest.ping(address, scope)),
      ]);
      expect(answers).not.to.include(false);
      const after = await Promise.all(['eth0', 'eth1'].map(sent));
      for (const place of [0, 1]) expect((after[place] ?? 0) - (before[place] ?? 0)).to.be.greaterThan(4);
      expect((await hnet(one, 'check')).stdout).to.equal('Everything is as it should be');
      expect(await ok(one, 'sync')).to.deep.equal([]);
      expect(await one.host.run(['ip', 'rule'])).not.to.contain('proto 104');

      for (const [what, { harm, mend, says }] of Object.entries(BY_ONE)) {
        await one.host.sh(harm);
        const came = await Promise.all(many.map(address => one.lab.internet.ping(MAIN, address)));
        expect(came, `${what}: by the other it comes`).to.include(true).and.to.include(false);
        const { code, stdout } = await hnet(one, 'check');
        expect({ what, code }).to.deep.equal({ what, code: 3 });
        expect(stdout).to.match(says);
        await one.host.sh(mend);
        expect(await hnet(one, 'check'), what).to.include({ code: 0 });
      }
      // What the other carries is all that there is.
      await one.host.sh('ip link set eth1 down');
      expect((await hnet(one, 'check')).stdout).not.to.contain('cut off');
    });
  });

const TUNNEL_MAC = '02:00:00:00:07:01';

for (const backend of BACKENDS)
  kernelSuite(`a subnet that comes by a tunnel (${backend})`, newScene => {
    it('leaves by the tunnel, which has no gateway; a host may have no other addresses', async () => {
      const config = `pools = []\n[[uplinks]]\ndevice = "gre1"\npools = ["198.18.7.0/26"]\n[firewall]\nbackend = "${backend}"\n`;
      const one = await newScene({ pools: [], config });
      const { gateway } = one.lab;
      // A cable in a tunnel's place: nobody asks on it for a MAC, and everything is the other end's.
      await ip(gateway.netns, [
        `link add tun1 address ${TUNNEL_MAC} arp off type veth peer name gre1 address ${TUNNEL_MAC} netns ${one.host.netns}`,
        'addr add 10.7.0.1/30 dev tun1',
        'link set tun1 up',
        'route add 198.18.7.0/26 via 10.7.0.2 dev tun1',
      ]);
      await gateway.run(['sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=1']);
      await one.host.sh('ip addr add 10.7.0.2/30 dev gre1; ip link set gre1 arp off up');
      await carrier(one.host.netns, 'gre1');
      await one.base();
      const libvirt = await FakeLibvirt.create(one);
      const [first, second] = ['198.18.7.0', '198.18.7.63'];
      const guests = [await one.start('vm1', first), await one.start('vm2', second)];
      for (const [place, address] of [first, second].entries())
        await libvirt.run(`vm${place + 1}`, {
          addresses: [address],
          taps: [{ bridge: bridgeOf(address), tap: `vm${place + 1}` }],
        });
      for (const address of [first, second])
        expect(await one.lab.internet.ping(address), address).to.equal(true);
      for (const guest of guests) expect(await guest.ping(INTERNET)).to.equal(true);
      expect(await guests[0]?.ping(second)).to.equal(true);
      expect(await one.host.run(['ip', 'route', 'show', 'table', '26735'])).to.match(/^default dev gre1/);
      expect((await hnet(one, 'check')).stdout).to.equal('Everything is as it should be');

      await one.configure(config.replace('gre1', 'gre9'));
      expect((await hnet(one, 'sync')).stderr).to.contain('"gre9" is no interface of this host');
      expect(await one.lab.internet.ping(first), 'with a wrong name in hnet.toml').to.equal(true);
      await one.configure(config);
      // One that was there before may be gone for a while.
      await one.host.sh('ip link set gre1 down; ip link set gre1 name later');
      expect((await hnet(one, 'sync')).stderr).not.to.contain('is no interface of this host');
    });
  });

/** Addresses on both uplinks, and one domain that has one of each. */
const MAIN = '123.45.90.116';
const NEAR = '203.0.113.5';
const OTHER = '203.0.113.6';
const BOTH = ['123.45.90.117', '203.0.113.9'];
const MAIN6 = '2001:db8:12:48::116';
const NEAR6 = '2001:db8:113:0:1::5';

const CONFIG = (backend: string, more = ''): string => `pools = ${JSON.stringify(POOLS6)}
uplink = "eth0"
${SEGMENT_TOML}
${more}
[firewall]
backend = "${backend}"
`;

interface Two {
  readonly one: Scene;
  readonly peer: Guest;
  readonly guests: Readonly<Record<string, Guest>>;
  readonly libvirt: FakeLibvirt;
}

async function two(newScene: NewScene, backend: string): Promise<Two> {
  const one = await newScene({ pools: POOLS6, config: CONFIG(backend) });
  const peer = await laySegment(one);
  await one.base();
  const libvirt = await FakeLibvirt.create(one);
  const domains: Readonly<Record<string, readonly string[]>> = {
    vm1: [MAIN, MAIN6],
    vm2: [NEAR, NEAR6],
    vm3: [OTHER],
    vm4: BOTH,
  };
  const guests: Record<string, Guest> = {};
  for (const [name, addresses] of Object.entries(domains)) {
    const bridge = bridgeOf(addresses[0] ?? '');
    const wanted = addresses.map(ip => ({ ip, bridge, scope: `172.30.${bridge.slice(2)}.0/24` }));
    await one.prepare(name, wanted);
    const guest = await one.host.guest({ name, bridge });
    for (const address of addresses)
      await guest.static(address, isIpv6(address) ? 'fe80::1' : one.host.address);
    await libvirt.run(name, { addresses: wanted, taps: [{ bridge, tap: name }] });
    guests[name] = guest;
  }
  return { one, peer, guests, libvirt };
}

/** Every way that has to work, by who pings whom from which address, and whether it did. */
async function lost({ one, peer, guests }: Two): Promise<string[]> {
  const { internet, gateway } = one.lab;
  const all = { vm1: [MAIN, MAIN6], vm2: [NEAR, NEAR6], vm3: [OTHER], vm4: BOTH };
  const ways: [string, Machine, string, string?][] = [];
  for (const address of Object.values(all).flat()) {
    const six = isIpv6(address);
    ways.push([`Internet to ${address}`, internet, address]);
    ways.push([`peer to ${address}`, peer, address]);
    ways.push([`host to ${address}`, one.host, address]);
    ways.push([`gateway to ${address}`, gateway, address]);
    const [guest] = Object.entries(all).flatMap(([name, own]) =>
      own.includes(address) ? (guests[name] ?? []) : [],
    );
    if (guest === undefined) continue;
    ways.push([`${address} to the Internet`, guest, six ? INTERNET6 : INTERNET, address]);
    ways.push([`${address} to the peer`, guest, six ? SEGMENT.peer6 : SEGMENT.peer, address]);
    for (const other of Object.values(all).flat())
      if (isIpv6(other) === six && other !== address)
        ways.push([`${address} to ${other}`, guest, other, address]);
  }
  ways.push(['peer to the host', peer, SEGMENT.host], ['host to the peer', one.host, SEGMENT.peer]);
  ways.push(
    ['gateway to the host', gateway, SEGMENT.host],
    ['host to the gateway', one.host, SEGMENT.gateway],
  );
  ways.push(['Internet to the host there', internet, SEGMENT.host]);
  const answers = await Promise.all(ways.map(([, from, to, source]) => from.ping(to, source)));
  return ways.filter((_, place) => !answers[place]).map(([what]) => what);
}

for (const backend of BACKENDS)
  kernelSuite(`a second uplink, whose pool is its own subnet (${backend})`, (_, share) => {
    const whole = share((newScene: NewScene) => two(newScene, backend));

    it('carries the packets of its own addresses, in both families, and to everybody', async () => {
      const all = await whole();
      expect(await hnet(all.one, 'check')).to.include({ code: 0 });
      // Its packets leave by rules, which come with a sync at the latest.
      await ok(all.one, 'sync');
      expect(await lost(all)).to.deep.equal([]);
      expect((await hnet(all.one, 'check')).stdout).to.equal('Everything is as it should be');
    });

    it('leads by it what it has to, and nothing else', async () => {
      const { one } = await whole();
      const rules = await one.host.sh(
        'ip rule; ip -6 rule; ip route show table 26735; ip -6 route show table 26735',
      );
      expect(rules).to.contain(`from ${SEGMENT.subnet} lookup 26735`);
      expect(rules).to.contain(`default via ${SEGMENT.gateway} dev ${SEGMENT.device} proto 104 onlink`);
      expect(rules).not.to.match(/from 123\.45\./);
      expect(await seenFrom(one, 4)).to.equal('eth0');
    });

    it('translates a bootstrap lease to the address of the uplink by which it leaves', async () => {
      const { guests } = await whole();
      const scope = '172.30.5.50';
      await guests['vm2']?.sh(`ip addr add ${scope}/32 dev eth0`);
      expect(await guests['vm2']?.ping(INTERNET, scope)).to.equal(true);
      await guests['vm2']?.sh(`ip addr del ${scope}/32 dev eth0`);
    });

    it('drops what others on its wire send under an assigned address, and takes what is theirs', async () => {
      const { one, peer } = await whole();
      await peer.sh(`ip addr add ${NEAR}/32 dev eth0`);
      expect(await peer.ping(OTHER, NEAR)).to.equal(false);
      await peer.sh(`ip addr del ${NEAR}/32 dev eth0`);
      expect(await peer.ping(OTHER)).to.equal(true);
      expect((await hnet(one, 'traffic')).stdout).to.match(/our address as source from outside +[1-9]/);
    });

    it('keeps them beside a VPN that takes everything, whichever comes first', async () => {
      const all = await whole();
      const { one } = all;
      await layTunnel(one);
      for (const { up, down } of Object.values(WAYS)) {
        await one.host.sh(up);
        await ok(one, 'sync');
        expect(await lost(all)).to.deep.equal([]);
        expect(await seenFrom(one, 4)).to.equal(TUNNEL.device);
        expect((await hnet(one, 'check')).stdout).to.equal('Everything is as it should be');
        await one.host.sh(down);
        await ok(one, 'sync');
        expect(await lost(all)).to.deep.equal([]);
      }
      await one.host.sh(`ip link del ${TUNNEL.device}`);
    });

    it('carries them where the main table holds the routes of the Internet, and no default route', async () => {
      const all = await whole();
      const { one } = all;
      const [via, via6] = [`via 123.45.12.1 dev eth0 onlink`, 'via fe80::1 dev eth0'];
      await one.host.sh(`ip route add 123.45.200.0/24 ${via}; ip route add 9.0.0.0/8 ${via}; ip route del default
        ip -6 route add 2001:db8:ffff::/48 ${via6}; ip -6 route add 2000::/16 ${via6}; ip -6 route del default`);
      await ok(one, 'sync');
      expect(await lost(all)).to.deep.equal([]);
      expect((await hnet(one, 'check')).stdout).to.equal('Everything is as it should be');
      await one.host.sh(`ip route add default ${via}; ip route del 123.45.200.0/24; ip route del 9.0.0.0/8
        ip -6 route add default ${via6}; ip -6 route del 2001:db8:ffff::/48; ip -6 route del 2000::/16`);
      await ok(one, 'sync');
    });

    it('is told of where it has no gateway, as a wire must', async () => {
      const { one, guests } = await whole();
      const right = await one.host.read('/etc/hnet/hnet.toml');
      await one.configure(CONFIG(backend).replace(/^gateway = .*\n/m, ''));
      // The gateway of the filter that stands counts while nothing else is said.
      await one.host.sh('sed -i \'s/"gateway6\\?":"[^"]*",//g\' /run/hnet/uplink');
      await hnet(one, 'sync');
      expect(await guests['vm3']?.ping(INTERNET, OTHER)).to.equal(false);
      const told = await hnet(one, 'check');
      expect(told.code).to.equal(3);
      expect(told.stdout).to.match(/ 203\.0\.113\.6 .*the uplink eth1 has no IPv4 gateway/);
      await one.configure(right);
      await ok(one, 'sync');
      expect(await guests['vm3']?.ping(INTERNET, OTHER)).to.equal(true);
      expect(await hnet(one, 'check')).to.include({ code: 0 });
    });

    it('is told of where its interface is gone, and the others go on', async () => {
      const all = await whole();
      const { one } = all;
      await one.host.sh(`ip link set ${SEGMENT.device} down`);
      const told = await hnet(one, 'check');
      expect(told.code).to.equal(3);
      expect(told.stdout).to.contain(NEAR);
      expect(await one.lab.internet.ping(MAIN)).to.equal(true);
      expect((await hnet(one, 'doctor')).stdout).to.contain(
        `the uplink ${SEGMENT.device} is down or missing`,
      );
      await one.host.sh(`ip link set ${SEGMENT.device} up`);
      await until(
        async () => (await one.host.run(['ip', 'link', 'show', SEGMENT.device])).includes('state UP'),
        PATIENCE,
        'the wire',
      );
      await ok(one, 'sync');
      expect(await lost(all)).to.deep.equal([]);
    });

    it('goes with its rules, routes and entries', async () => {
      const { one, libvirt, guests } = await whole();
      for (const [name, guest] of Object.entries(guests)) {
        await guest.unplug();
        await one.release(name);
        await libvirt.end(name);
      }
      expect(await hnet(one, 'check')).to.include({ code: 0 });
      expect(await one.host.sh('ip neigh show proxy; ip -6 neigh show proxy')).to.equal('');
      await one.baseDown();
      const left = await one.host.sh(
        'ip rule; ip -6 rule; ip route show table all; ip -6 route show table all; ip neigh show proxy',
      );
      expect(left).not.to.match(/proto 104|2673[45]/);
    });
  });
