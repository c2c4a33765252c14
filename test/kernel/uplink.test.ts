import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { INTERNET } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { BAD_CONFIGS } from '../support/bad-config.ts';
import { COMMAND, NODE } from '../support/build.ts';
import { hnet, ok } from '../support/command.ts';
import { BOTH, FAMILIES, type Places } from '../support/families.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import { gatewayFor, POOLS6, REAL, type Scene } from '../support/scene.ts';
import { difference, snapshot } from '../support/snapshot.ts';
import { kernelSuite, type NewScene } from '../support/suite.ts';
import { layTunnel, seenFrom, TUNNEL, WAYS } from '../support/tunnel.ts';

const BACKENDS = ['iptables', 'nftables'] as const;
const CONFIG = (backend: string, more = '') => `# ours
pools = ${JSON.stringify(POOLS6)} # all of them
${more}
# host = "1.2.3.4"
[firewall]
backend = "${backend}"
`;

interface Two {
  readonly one: Scene;
  readonly mine: Guest;
  readonly neighbour: Guest;
}

/** Two domains with an address of each family, which run. */
async function two(one: Scene): Promise<Two> {
  await one.base();
  const libvirt = await FakeLibvirt.create(one);
  const guests: Guest[] = [];
  for (const [name, ips] of Object.entries(BOTH)) {
    const octet = name === 'mine' ? 116 : 117;
    const addresses = ips.map(ip => ({ ip, bridge: `br${octet}`, scope: `172.30.${octet}.0/24` }));
    await one.prepare(name, addresses);
    await libvirt.run(name, { addresses });
    const guest = await one.host.guest({ name, bridge: `br${octet}` });
    for (const ip of ips) await guest.static(ip, gatewayFor(ip, one.host));
    guests.push(guest);
  }
  const [mine, neighbour] = guests;
  if (mine === undefined || neighbour === undefined) throw new Error('no guests');
  return { one, mine, neighbour };
}

/** Which of the ways that packets of domains take work, in one family. */
async function reach({ one, mine }: Two, { internet, mine: own, neighbour, host }: Places) {
  return {
    out: await mine.ping(internet, own),
    in: await one.lab.internet.ping(own),
    between: await mine.ping(neighbour, own),
    'to the host': await mine.ping(host, own),
    'from the host': await one.host.ping(own),
  };
}
const ALL = { out: true, in: true, between: true, 'to the host': true, 'from the host': true };

const rules = ({ host }: Scene): Promise<string> =>
  host.sh(
    'ip rule; ip -6 rule; ip route show table 26734 2>/dev/null || true; ip -6 route show table 26734 2>/dev/null || true',
  );

/** Which next hop of several a packet takes depends on both of its ends. */
const MANY = [101, 102, 103, 104, 105, 106, 107, 108];

const filter = async ({ host }: Scene): Promise<string> =>
  (await host.sh('iptables-save | grep -v "^[#:]"; ipset save | grep -v "timeout [1-9]"')).replaceAll(
    / packets \d+ bytes \d+/g,
    '',
  );

for (const backend of BACKENDS) {
  kernelSuite(`another way out of the host (${backend})`, (_, share) => {
    const whole = share(async (scene: NewScene) => {
      const one = await scene({ pools: POOLS6, config: CONFIG(backend) });
      await layTunnel(one);
      return two(one);
    });

    for (const [what, { up, down }] of Object.entries(WAYS)) {
      const strict = backend === 'iptables' ? 1 : 0;
      it(`${what} takes the host's own packets alone (rp_filter ${strict})`, async () => {
        const all = await whole();
        const { one } = all;
        await one.host.sh(
          `sysctl -qw net.ipv4.conf.all.rp_filter=${strict} net.ipv4.conf.eth0.rp_filter=${strict}`,
        );
        const [before, kept] = [await snapshot(one.host), await rules(one)];
        await one.host.sh(up);
        await ok(one, 'sync');
        for (const places of FAMILIES) {
          expect(await reach(all, places), `IPv${places.family}`).to.deep.equal(ALL);
          expect(await seenFrom(one, places.family)).to.equal(TUNNEL.device);
        }
        expect(await hnet(one, 'check')).to.include({ code: 0 });
        expect(await ok(one, 'sync')).to.deep.equal([]);
        expect(await rules(one)).to.match(/proto 104/);
        await one.host.sh(down);
        await ok(one, 'sync');
        expect(await rules(one)).to.equal(kept);
        expect(difference(before, await snapshot(one.host))).to.deep.equal([]);
        await one.host.sh('sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0');
      });
    }

    it('a default route of which one of two next hops is another interface takes those packets alone', async () => {
      const all = await whole();
      const { one, mine, neighbour } = all;
      const before = await snapshot(one.host);
      await one.host.sh(`ip route replace default nexthop via 123.45.12.1 dev eth0 onlink nexthop via 10.9.0.2 dev wg0
        ip -6 route replace default nexthop via fe80::1 dev eth0 nexthop via fd00:9::2 dev wg0`);
      await one.lab.internet.sh(
        `for one in ${MANY.join(' ')}; do ip address add 123.45.200.$one dev eth0; ip address add 2001:db8:ffff::$one dev eth0; done`,
      );
      await ok(one, 'sync');
      for (const { family, mine: own, neighbour: other } of FAMILIES) {
        const answers = await Promise.all(
          MANY.map(place => `${family === 4 ? '123.45.200.' : '2001:db8:ffff::'}${place}`).flatMap(
            address => [mine.ping(address, own), neighbour.ping(address, other)],
          ),
        );
        expect(answers, `IPv${family}`).not.to.include(false);
      }
      expect(await hnet(one, 'check')).to.include({ code: 0 });
      await one.host.sh(`ip route replace default via 123.45.12.1 dev eth0 onlink
        ip -6 route del default; ip -6 route add default via fe80::1 dev eth0`);
      await ok(one, 'sync');
      expect(difference(before, await snapshot(one.host))).to.deep.equal([]);
    });

    it("a VPN that is down, and lets nothing of the host's out meanwhile, keeps no domain from the uplink", async () => {
      const all = await whole();
      const { one } = all;
      for (const type of ['unreachable', 'blackhole', 'prohibit']) {
        const before = await snapshot(one.host);
        await one.host.sh(
          `for six in 4 6; do ip -$six route add ${type} default table 52; ip -$six rule add pref 5270 lookup 52; done`,
        );
        await ok(one, 'sync');
        for (const places of FAMILIES)
          expect(await reach(all, places), `${type}, IPv${places.family}`).to.deep.equal(ALL);
        expect(await one.host.ping(INTERNET), 'the host itself').to.equal(false);
        expect(await hnet(one, 'check'), type).to.include({ code: 0 });
        await one.host.sh(
          'for six in 4 6; do ip -$six rule del pref 5270; ip -$six route flush table 52; done',
        );
        await ok(one, 'sync');
        expect(difference(before, await snapshot(one.host))).to.deep.equal([]);
      }
    });

    it('rules that come to stand before ours, as those of wg-quick do, are stepped over again', async () => {
      const all = await whole();
      const { one } = all;
      const [better, tunnel] = [WAYS['an exit node of tailscale'], WAYS['a tunnel of wg-quick']];
      await one.host.sh(better?.up ?? '');
      await ok(one, 'sync');
      expect(await rules(one)).to.match(/^5200:/m);
      await one.host.sh(tunnel?.up ?? '');
      const { findings: lost } = JSON.parse((await hnet(one, 'doctor', '--json')).stdout) as {
        findings: readonly { what: string }[];
      };
      for (const family of [4, 6])
        expect(lost.map(({ what }) => what).join('\n')).to.match(
          new RegExp(`the host's own IPv${family} packets don't leave by eth0: rule \\d+ .*lookup 51820`),
        );
      await ok(one, 'sync');
      expect((await hnet(one, 'doctor')).stdout).to.match(
        /^note: the host's own IPv4 packets don't leave by eth0: .*lookup 51820\), .*lookup 52\); VMs stay on it, by rules of hnet$/m,
      );
      for (const places of FAMILIES) expect(await reach(all, places)).to.deep.equal(ALL);
      expect(await hnet(one, 'check')).to.include({ code: 0 });
      await one.host.sh(tunnel?.down ?? '');
      for (const places of FAMILIES) expect(await reach(all, places)).to.deep.equal(ALL);
      await one.host.sh(better?.down ?? '');
      await ok(one, 'sync');
      expect(await rules(one)).not.to.match(/proto 104/);
    });
  });
}

kernelSuite(
  'a configuration that would cut off the host is refused, and nothing changes, with',
  (_, share) => {
    const running = share(async (scene: NewScene) =>
      two(await scene({ pools: POOLS6, config: CONFIG('auto') })),
    );

    for (const [what, [text, why]] of Object.entries(BAD_CONFIGS)) {
      it(what, async () => {
        const { one, mine } = await running();
        const before = await snapshot(one.host);
        const right = await one.host.read('/etc/hnet/hnet.toml');
        await one.configure(text);
        for (const argv of [['sync'], ['base', 'up'], ['check'], ['sync', '--dry-run']]) {
          const { code, stderr } = await hnet(one, ...argv);
          expect({ argv, code, stderr }).to.include({ code: 1 });
          expect(stderr, argv.join(' ')).to.match(why);
        }
        const watch = one.host.start([...NODE, COMMAND, 'watch']);
        await watch.until(why, PATIENCE);
        await watch.stop();
        expect(difference(before, await snapshot(one.host))).to.deep.equal([]);
        const [places] = FAMILIES;
        expect(await one.lab.internet.ping(places?.host ?? '')).to.equal(true);
        expect(await mine.ping(places?.internet ?? '', places?.mine)).to.equal(true);
        await one.configure(right);
      });
    }
  },
);

kernelSuite('the uplink', scene => {
  it('is written into the configuration when the base comes up first, and all else in it stays', async () => {
    const one = await scene({ config: CONFIG('auto', '#uplink = "eth7"') });
    expect(await one.base()).to.contain('wrote uplink = "eth0" into /etc/hnet/hnet.toml');
    expect(await one.host.read('/etc/hnet/hnet.toml')).to.equal(CONFIG('auto', 'uplink = "eth0"').trim());
    await one.configure(CONFIG('auto'));
    await one.host.run(['chmod', '640', '/etc/hnet/hnet.toml']);
    await one.base();
    expect(await one.host.read('/etc/hnet/hnet.toml')).to.equal(`uplink = "eth0"\n${CONFIG('auto')}`.trim());
    expect(await one.host.run(['stat', '-c', '%a', '/etc/hnet/hnet.toml'])).to.equal('640');
    expect(await one.base()).to.equal('');
  });

  it('is found behind a tunnel that stands already', async () => {
    const one = await scene({ pools: POOLS6, config: CONFIG('auto') });
    await layTunnel(one);
    await one.host.sh(WAYS['the two halves of OpenVPN']?.up ?? '');
    expect(await one.base()).to.contain('wrote uplink = "eth0"');
    expect(await rules(one)).to.match(/proto 104/);
    await one.baseDown();
    expect(await rules(one)).not.to.match(/proto 104|26734/);
    expect(
      await one.host.run(['find', '/run/hnet', '-name', 'hnet.toml*', '-o', '-name', 'uplink']),
    ).to.equal('');
  });

  it('stays where it is without a word in the configuration, whatever route is better, and the daemon keeps it', async () => {
    const one = await scene({ pools: POOLS6, config: CONFIG('auto') });
    await layTunnel(one);
    const all = await two(one);
    await one.configure(CONFIG('auto'));
    const watch = one.host.start([...NODE, COMMAND, 'watch']);
    for (const { up, down } of Object.values(WAYS)) {
      const before = await filter(one);
      await one.host.sh(up);
      await until(async () => /proto 104/.test(await rules(one)), PATIENCE, 'rules of ours');
      for (const places of FAMILIES)
        await until(
          async () => Object.values(await reach(all, places)).every(Boolean),
          PATIENCE,
          `all of IPv${places.family}`,
        );
      expect(await filter(one)).to.equal(before);
      await one.host.sh(down);
      await until(async () => !/proto 104/.test(await rules(one)), PATIENCE, 'the end of them');
    }
    await watch.stop();
  });

  it("has routes that are nobody's business: the daemon doesn't look when they change, however many there are", async () => {
    const one = await scene();
    await FakeLibvirt.create(one);
    await one.base();
    await one.host.sh(`seq 0 19999 | awk '{ printf "route add 20.%d.%d.0/24 via 123.45.12.1 dev eth0 onlink %s\\n",
      $1 / 256, $1 % 256, $1 % 2 ? "proto bird" : "" }' | ip -batch -`);
    await one.replace('/usr/sbin/ip', `echo "$*" >>/run/lab/calls; exec ${REAL}/ip "$@"`);
    const watch = one.host.start([...NODE, COMMAND, 'watch']);
    const looks = async () =>
      (await one.host.sh('grep -c -e "-json -details -force" /run/lab/calls || true')).trim();
    const pool = async () => (await one.host.run([`${REAL}/ip`, 'route', 'show', '123.45.90.112/29'])) !== '';
    /** The daemon looks for what it repairs; how often in all tells whether it looked for anything else. */
    const repair = async (): Promise<number> => {
      const before = Number(await looks());
      await one.host.run([`${REAL}/ip`, 'route', 'del', 'blackhole', '123.45.90.112/29']);
      await until(pool, PATIENCE, 'the repair');
      await until(async () => /^(\d+) \1$/.test(await settled()), PATIENCE, 'its end');
      return Number(await looks()) - before;
    };
    const settled = async () => `${await looks()} ${await one.host.sh('sleep 2').then(looks)}`;
    await until(async () => /^([1-9]\d*) \1$/.test(await settled()), PATIENCE, 'the first look');
    const alone = await repair();
    // One of a routing daemon, and one that somebody configured, as ip route add does.
    const flap = (net: string, more: string) =>
      `${REAL}/ip route del ${net}; ${REAL}/ip route add ${net} via 123.45.12.1 dev eth0 onlink ${more}`;
    const before = Number(await looks());
    for (let round = 0; round < 5; round++)
      await one.host.sh(`${flap('20.5.5.0/24', 'proto bird')}; ${flap('20.5.6.0/24', '')}
        ${flap('20.5.8.0/24', 'proto static')}; sleep 1`);
    expect(Number(await looks()) - before).to.equal(0);
    expect(await repair()).to.equal(alone);
    await watch.stop();
  });

  it('that is without a route for a while keeps no domain from starting', async () => {
    const one = await scene();
    await one.base();
    await one.host.sh('ip route save default >/run/lab/default; ip route del default');
    const guest = await one.start('vm1', '123.45.90.116');
    await one.host.sh('ip route restore </run/lab/default');
    expect(await guest.ping(INTERNET)).to.equal(true);
  });

  it('that is gone for a while costs running domains nothing, and they have all when it is back', async () => {
    const one = await scene({ pools: POOLS6, config: CONFIG('auto', 'uplink = "eth0"') });
    const all = await two(one);
    await one.host.sh('ip link set eth0 down; ip link set eth0 name renamed');
    const [places] = FAMILIES;
    if (places === undefined) throw new Error('no places');
    await one.host.sh('ip link del br117');
    await hnet(one, 'sync');
    expect(await one.host.run(['ip', '-o', 'link', 'show', 'br117'])).to.contain('br117');
    expect(await all.mine.ping(places.host, places.mine)).to.equal(true);
    await one.host.sh(`ip link set renamed name eth0; ip link set eth0 up
      ip route replace default via 123.45.12.1 dev eth0 onlink; ip -6 route replace default via fe80::1 dev eth0`);
    await ok(one, 'sync');
    await until(() => one.lab.internet.ping(places.mine), PATIENCE, 'the way in');
  });
});

/** What a boot may come before: what is written of the uplink, what is missing, and how it comes. */
const LATE: Readonly<Record<string, readonly [config: string, harm: string, mend: string]>> = {
  'the default route, with the host in the configuration': [
    CONFIG('auto', 'uplink = "eth0"\nhost = "123.45.12.48"'),
    'ip route del default; ip -6 route del default',
    '',
  ],
  'the default route, with the uplink alone in the configuration': [
    CONFIG('nftables', 'uplink = "eth0"'),
    'ip route del default; ip -6 route del default',
    '',
  ],
  'its addresses, and while it is down': [
    CONFIG('auto', 'uplink = "eth0"'),
    'ip address flush dev eth0; ip link set eth0 down',
    'ip address add 123.45.12.48/32 dev eth0; ip address add 2001:db8:12:48::48/128 dev eth0 nodad; ip link set eth0 up',
  ],
  'the interface itself': [
    CONFIG('auto', 'uplink = "eth0"'),
    'ip link set eth0 down; ip link set eth0 name later',
    'ip link set later name eth0; ip link set eth0 up',
  ],
};

kernelSuite('a boot that comes before', scene => {
  for (const [what, [config, harm, mend]] of Object.entries(LATE)) {
    it(`${what} keeps no domain from starting, and the daemon sees the uplink come`, async () => {
      const one = await scene({ pools: POOLS6, config });
      const libvirt = await FakeLibvirt.create(one);
      await one.host.sh(harm);
      expect(await one.base()).to.contain('nothing leads to the Internet yet');
      const guest = await one.start('vm1', '123.45.90.116');
      await libvirt.run('vm1', { addresses: ['123.45.90.116'], taps: [{ bridge: 'br116', tap: 'vm1' }] });
      expect((await hnet(one, 'check')).code, 'a fault of the VM').to.equal(3);
      const watch = one.host.start([...NODE, COMMAND, 'watch']);
      await one.host.sh(`${mend}
        ip route replace default via 123.45.12.1 dev eth0 onlink; ip -6 route replace default via fe80::1 dev eth0`);
      const whole = async () => (await hnet(one, 'check')).code === 0;
      await until(whole, PATIENCE, watch.output);
      await watch.stop();
      expect(await one.lab.internet.ping('123.45.90.116')).to.equal(true);
      expect(await guest.ping(INTERNET)).to.equal(true);
      expect((await guest.dhcp()).router).to.equal('172.30.116.1');
      expect(await guest.ping(INTERNET)).to.equal(true);
      expect(await one.host.read('/run/hnet/uplink')).not.to.contain('awaited');
    });
  }

  it('the network believes no wrong interface once another one leads to the Internet', async () => {
    const one = await scene({ pools: POOLS6, config: CONFIG('auto', 'uplink = "eth9"') });
    await FakeLibvirt.create(one);
    await one.host.sh(
      'ip route save default >/run/lab/default; ip route del default; ip -6 route del default',
    );
    await one.base();
    await one.start('vm1', '123.45.90.116');
    await one.host.sh('ip route restore </run/lab/default');
    const { code, stderr } = await hnet(one, 'sync');
    expect({ code, stderr }).to.include({ code: 1 });
    expect(stderr).to.match(/"eth9" is no interface of this host/);
  });
});

kernelSuite('a configuration that cuts off the gateway', scene => {
  /** The gateway is another than the configuration says, and lies in a pool. */
  const CUT = `pools = ["123.45.90.112/29", "123.45.12.0/31"]\nuplink = "eth0"\ngateway = "123.45.12.2"\n`;
  const GOOD = 'pools = ["123.45.90.112/29"]\nuplink = "eth0"\n';
  const SSH = 'SSH_CONNECTION=123.45.200.10 50000 123.45.12.48 22';

  async function ready(make: NewScene): Promise<Scene> {
    const one = await make({ config: GOOD });
    await FakeLibvirt.create(one);
    await one.base();
    expect(await ok(one, 'sync')).to.deep.equal([]);
    return one;
  }
  /** Whether the gateway reaches the host that it has forgotten. */
  async function isReached({ host, lab }: Scene): Promise<boolean> {
    await lab.gateway.sh('ip neigh flush dev h1');
    return lab.gateway.ping(host.address);
  }
  const state = async ({ host }: Scene): Promise<string> =>
    (await snapshot(host)).replaceAll(/^\/run\/hnet\/hnet\.toml.*\n/gm, '');

  it('is taken back by hnet sync, which says so, and stays away until it is changed', async () => {
    const one = await ready(scene);
    const before = await state(one);
    await one.configure(CUT);
    const { code, stderr } = await one.host.attempt(['env', SSH, ...NODE, COMMAND, 'sync']);
    expect({ code, stderr }).to.include({ code: 1 });
    expect(stderr).to.match(
      /^hnet: Cannot use \/etc\/hnet\/hnet\.toml: the gateway 123\.45\.12\.1 does not answer any more, so the one before it is in force again; change it/m,
    );
    expect(await isReached(one)).to.equal(true);
    const isAsBefore = async () => difference(before, await state(one)).length === 0;
    await until(isAsBefore, PATIENCE, 'the end of what waited beside it');
    const again = await hnet(one, 'sync');
    expect(again).to.include({ code: 1, stdout: '' });
    expect(again.stderr).to.match(/cut off the host when it was applied/);
    await one.base();
    expect(difference(before, await state(one))).to.deep.equal([]);
    await one.configure(`${GOOD}# mended\n`);
    expect(await ok(one, 'sync')).to.deep.equal([]);
    expect(await isReached(one)).to.equal(true);
  });

  it('is taken back though hnet sync is killed, as the end of a connection does', async () => {
    const one = await ready(scene);
    await one.configure(CUT);
    const sync = one.host.start(['env', SSH, ...NODE, COMMAND, 'sync']);
    await until(async () => !(await isReached(one)), PATIENCE, 'the cut');
    await sync.stop('SIGKILL');
    expect(await isReached(one)).to.equal(false);
    await until(() => isReached(one), PATIENCE, 'the way back');
    expect(await one.host.sh('ls /run/hnet/hnet.toml*'))
      .to.contain('rejected')
      .and.not.to.contain('trial');
  });

  it('is taken back by the daemon', async () => {
    const one = await ready(scene);
    await one.configure(CUT);
    const watch = one.host.start([...NODE, COMMAND, 'watch']);
    await watch.until(/the one before it is in force again/, PATIENCE);
    expect(await isReached(one)).to.equal(true);
    await watch.stop();
  });
});
