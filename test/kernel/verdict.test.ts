import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { INTERNET, isIpv6 } from '../lab/site.ts';
import { hnet, ok } from '../support/command.ts';
import { BOTH, FAMILIES, SIX } from '../support/families.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import { expectRefusal } from '../support/refusal.ts';
import { gatewayFor, POOLS6, type Scene } from '../support/scene.ts';
import { expectUnchanged, snapshot } from '../support/snapshot.ts';
import { kernelSuite } from '../support/suite.ts';

const [FOUR = ''] = BOTH.mine;
const IN_ORDER = { code: 0, stdout: 'Everything is as it should be' };
const CONFIG = `pools = ${JSON.stringify(POOLS6)}\n`;

/** What an operator, or a program beside hnet, does to a host; and what is then said of which addresses. */
interface Trouble {
  readonly harm: string;
  readonly mend: string;
  /** What `check` says, of each address that is cut off. */
  readonly says: Readonly<Record<string, RegExp>>;
}

/** A second way to the Internet that leads nowhere, as that of a VPN whose other end is away. */
const VPN = `ip link add vpn type veth peer name far; ip link set vpn up; ip link set far up
  ip address add 10.9.9.1/24 dev vpn; ip address add 2001:db8:99::1/64 dev vpn nodad`;

const TROUBLES: Readonly<Record<string, Trouble>> = {
  'the host has the addresses on its uplink': {
    harm: `ip address add ${FOUR}/32 dev eth0; ip address add ${SIX.mine}/128 dev eth0 nodad`,
    mend: `ip address del ${FOUR}/32 dev eth0; ip address del ${SIX.mine}/128 dev eth0`,
    says: {
      [FOUR]: /the host itself has 123\.45\.90\.116 on eth0/,
      [SIX.mine]: /the host itself has 2001:db8:12:48::116 on eth0/,
    },
  },
  'the host has them on lo': {
    harm: `ip address add ${FOUR}/32 dev lo; ip address add ${SIX.mine}/128 dev lo`,
    mend: `ip address del ${FOUR}/32 dev lo; ip address del ${SIX.mine}/128 dev lo`,
    says: { [FOUR]: /the host itself has \S+ on lo/, [SIX.mine]: /the host itself has \S+ on lo/ },
  },
  'the host takes them by local routes': {
    harm: `ip route add local ${FOUR} dev lo; ip -6 route add local 2001:db8:12:48::/112 dev lo`,
    mend: `ip route del local ${FOUR} dev lo; ip -6 route del local 2001:db8:12:48::/112 dev lo`,
    says: { [FOUR]: /its table "local"/, [SIX.mine]: /its table "local"/ },
  },
  'another program drops all at the bridges': {
    harm: `nft 'add table bridge other; add chain bridge other in { type filter hook input priority 0; policy drop; }'`,
    mend: 'nft delete table bridge other',
    says: {
      [FOUR]: /chain in of table bridge other, which is another program's, lets nothing pass/,
      [SIX.mine]: /chain in of table bridge other, which is another program's, lets nothing pass/,
    },
  },
  'ebtables drops all': {
    harm: `ebtables -P INPUT DROP`,
    mend: 'ebtables -P INPUT ACCEPT',
    says: {
      [FOUR]: /chain INPUT of table bridge filter, which is/,
      [SIX.mine]: /chain INPUT of table bridge filter, which is/,
    },
  },
  'another program drops what comes in by the tap': {
    harm: `nft 'add table netdev other; add chain netdev other in { type filter hook ingress device vm1 priority 0; policy drop; }'`,
    mend: 'nft delete table netdev other',
    says: { [FOUR]: /chain in of table netdev other/, [SIX.mine]: /chain in of table netdev other/ },
  },
  'another program drops all before it is routed': {
    harm: `nft 'add table inet other; add chain inet other early { type filter hook prerouting priority -400; }; add rule inet other early iifname eth0 counter drop'`,
    mend: 'nft delete table inet other',
    says: { [FOUR]: /chain early of table inet other/, [SIX.mine]: /chain early of table inet other/ },
  },
  'another program drops all of ARP': {
    harm: `nft 'add table arp other; add chain arp other in { type filter hook input priority 0; policy drop; }'; ip neigh flush dev br116`,
    mend: 'nft delete table arp other',
    says: { [FOUR]: /chain in of table arp other/ },
  },
  'a policy of IPsec drops them, or wants them for a tunnel': {
    harm: `ip xfrm policy add src 0.0.0.0/0 dst 0.0.0.0/0 dir fwd action block
      ip xfrm policy add src ::/0 dst ::/0 dir out tmpl src fd00:7::1 dst fd00:7::2 proto esp mode tunnel`,
    mend: 'ip xfrm policy deleteall',
    says: {
      [FOUR]: /the IPsec policy "src 0\.0\.0\.0\/0 dst 0\.0\.0\.0\/0 dir fwd" drops what is sent to it/,
      [SIX.mine]: /the IPsec policy "src ::\/0 dst ::\/0 dir out" wants for its tunnel what is sent to it/,
    },
  },
  'a rule leads them to a tunnel': {
    harm: `${VPN}
      ip route add default dev vpn table 52; ip -6 route add default dev vpn table 52
      for way in from to; do
        ip rule add pref 5270 $way ${FOUR} lookup 52; ip -6 rule add pref 5270 $way ${SIX.mine} lookup 52
      done`,
    mend: `for six in 4 6; do ip -$six rule del pref 5270; ip -$six rule del pref 5270; done; ip link del vpn`,
    says: {
      [FOUR]: /the rule 5270 \(to \S+ lookup 52\) leads what is sent to it to vpn/,
      [SIX.mine]: /the rule 5270 \(to \S+ lookup 52\) leads what is sent to it to vpn/,
    },
  },
  'a rule forbids what the VM sends': {
    harm: `ip rule add pref 100 from ${FOUR} prohibit; ip -6 rule add pref 100 from ${SIX.mine} unreachable`,
    mend: 'ip rule del pref 100; ip -6 rule del pref 100',
    says: {
      [FOUR]: /the rule 100 \(action prohibit from 123\.45\.90\.116\) forbids what it sends/,
      [SIX.mine]: /the rule 100 \(action unreachable from 2001:db8:12:48::116\) forbids what it sends/,
    },
  },
  'the table of a rule drops what is sent to it': {
    harm: `ip route add blackhole ${FOUR} table 7; ip rule add pref 100 lookup 7
      ip -6 route add blackhole ${SIX.mine} table 7; ip -6 rule add pref 100 lookup 7`,
    mend: `ip rule del pref 100; ip -6 rule del pref 100; ip route flush table 7; ip -6 route flush table 7`,
    says: {
      [FOUR]:
        /the rule 100 \(from all lookup 7\) has a table of its own, and a blackhole route drops what is sent to it/,
      [SIX.mine]:
        /the rule 100 \(from all lookup 7\) has a table of its own, and a blackhole route drops what is sent to it/,
    },
  },
  'a better route leads elsewhere': {
    harm: `${VPN}
      ip -6 route add ${SIX.mine} dev vpn metric 5`,
    mend: 'ip link del vpn',
    says: { [SIX.mine]: /the route 2001:db8:12:48::116 dev vpn metric 5 leads what is sent to it to vpn/ },
  },
  'the uplink checks reverse paths, and a rule leads what it sends elsewhere': {
    harm: `${VPN}
      ip route add default dev vpn table 52; ip rule add pref 5270 from ${FOUR} lookup 52
      echo 1 >/proc/sys/net/ipv4/conf/eth0/rp_filter`,
    mend: 'ip rule del pref 5270; ip link del vpn; echo 0 >/proc/sys/net/ipv4/conf/eth0/rp_filter',
    says: {
      [FOUR]:
        /the reverse-path check of eth0 \(rp_filter is 1\) drops what is sent to it: the way back leads to vpn/,
    },
  },
};

kernelSuite('what the kernel would do with a packet', (scene, share) => {
  const whole = share(async make =>
    running(await make({ config: `${CONFIG}uplink = "eth0"\nhost = "123.45.12.48"\n`, pools: POOLS6 })),
  );

  for (const [what, { harm, mend, says }] of Object.entries(TROUBLES)) {
    it(`is a fault where ${what}`, async () => {
      const { one, guest } = await whole();
      expect(await hnet(one, 'check')).to.include(IN_ORDER);
      await one.host.sh(harm);
      for (const { mine, internet } of FAMILIES.filter(each => each.mine in says))
        expect(await guest.ping(internet, mine), `${mine} is served`).to.equal(false);
      const checked = await hnet(one, 'check');
      const synced = await hnet(one, 'sync');
      const status = (await hnet(one, 'status')).stdout.split('\n');
      expect([checked.code, synced.code]).to.deep.equal([3, 1]);
      for (const [address, cause] of Object.entries(says)) {
        const about = checked.stdout.split('\n').filter(line => line.includes(` ${address} `));
        expect(about.join('\n'))
          .to.match(cause)
          .and.to.match(/^vm1 .* cut off /);
        expect(synced.stderr).to.match(cause);
        expect(status.find(line => line.includes(` ${address} `))).to.match(cause);
      }
      await one.host.sh(mend);
      // A network of the host's has gone, which the filter knew.
      await hnet(one, 'sync');
      expect(await hnet(one, 'check')).to.include(IN_ORDER);
      expect((await hnet(one, 'status')).stdout).to.match(/ ok$/m);
      for (const { mine, internet } of FAMILIES) {
        expect(await one.lab.internet.ping(mine)).to.equal(true);
        expect(await guest.ping(internet)).to.equal(true);
      }
    });
  }

  it("is asked for about all that is somebody else's inside of a subnet", async () => {
    const one = await scene({ config: CONFIG, pools: POOLS6 });
    await one.base();
    const libvirt = await FakeLibvirt.create(one);
    const addresses = ['123.45.90.112/29', '2001:db8:12:4900::/64', '2001:db8:12:4901::/80'].map(ip => ({
      ip,
      bridge: 'br7',
      scope: '172.30.7.0/24',
    }));
    await one.prepare('vm1', addresses);
    await libvirt.run('vm1', { addresses });
    expect(await hnet(one, 'check')).to.include(IN_ORDER);
    await one.host.sh(`${VPN}
      ip route add 123.45.90.114 dev vpn; ip address add 123.45.90.117/32 dev lo
      ip address add 2001:db8:12:4900::9/128 dev lo; ip -6 route add 2001:db8:12:4901:0:8000::/82 dev vpn`);
    const { code, stdout } = await hnet(one, 'check');
    expect(code).to.equal(3);
    const cut = [...stdout.matchAll(/^vm1 +(\S+) +cut off /gm)].map(([, address]) => address);
    expect([...new Set(cut)].sort()).to.deep.equal([
      '123.45.90.114',
      '123.45.90.117',
      '2001:db8:12:4900::9',
      ...['8000', '9000', 'a000', 'b000'].map(part => `2001:db8:12:4901:0:${part}::`),
    ]);
  });

  it("is asked for wherever somebody else's route or rule begins inside of a large subnet", async () => {
    const pools = ['123.45.91.96/27', '2001:db8:12:4900::/56'];
    const one = await scene({ config: `pools = ${JSON.stringify(pools)}\n`, pools });
    await one.base();
    const libvirt = await FakeLibvirt.create(one);
    const scope = { bridge: 'br7', scope: '172.30.7.0/24' };
    const addresses = ['123.45.91.96/27', '2001:db8:12:4900::/64'].map(ip => ({ ip, ...scope }));
    await one.prepare('vm1', addresses);
    await libvirt.run('vm1', { addresses });
    expect(await hnet(one, 'check')).to.include(IN_ORDER);
    await one.host.sh(`${VPN}
      ip route add 123.45.91.99 dev vpn; ip -6 route add 2001:db8:12:4900::77/128 dev vpn
      ip route add unreachable 123.45.91.101
      ip route add default dev vpn table 52; ip -6 route add default dev vpn table 52
      ip rule add pref 100 to 123.45.91.103 lookup 52; ip rule add pref 101 from 123.45.91.105 prohibit
      ip -6 rule add pref 100 to 2001:db8:12:4900:7::/80 lookup 52
      ip xfrm policy add src 0.0.0.0/0 dst 123.45.91.107/32 dir fwd action block`);
    const { code, stdout } = await hnet(one, 'check');
    expect(code).to.equal(3);
    const cut = [...stdout.matchAll(/^vm1 +(\S+) +cut off /gm)].map(([, address]) => address);
    expect([...new Set(cut)].sort()).to.deep.equal([
      '123.45.91.101',
      '123.45.91.103',
      '123.45.91.105',
      '123.45.91.107',
      '123.45.91.99',
      '2001:db8:12:4900:7::',
      '2001:db8:12:4900::77',
    ]);
    const { stdout: examined } = await hnet(one, 'doctor');
    for (const address of cut) expect(examined).to.contain(` ${address} `);
  });

  it('is right from the start where the host forwards by none of its new interfaces', async () => {
    const one = await scene({ config: CONFIG, pools: POOLS6 });
    await one.base();
    await one.host.sh('for six in ipv4 ipv6; do echo 0 >/proc/sys/net/$six/conf/default/forwarding; done');
    const { guest } = await running(one);
    for (const { mine, internet } of FAMILIES) {
      expect(await one.lab.internet.ping(mine)).to.equal(true);
      expect(await guest.ping(internet)).to.equal(true);
    }
    const forwarding = await one.host.sh('cat /proc/sys/net/ipv[46]/conf/br116/forwarding');
    expect(forwarding).to.equal('1\n1');
  });

  describe('an address of a pool that the host itself has', () => {
    const held = share(async make => {
      const one = await make({ config: CONFIG, pools: POOLS6 });
      await one.base();
      const libvirt = await FakeLibvirt.create(one);
      await libvirt.run('vm9');
      await one.host.sh(`ip address add 123.45.90.117/24 dev lo; ip address add 2001:db8:12:48::117/64 dev lo
        ip address add 123.45.53.13/32 dev eth0; ip address add 2001:db8:12:4900::7/128 dev eth0 nodad`);
      return one;
    });
    const HELD: Readonly<Record<string, string>> = {
      '123.45.90.117': 'ip address delete 123.45.90.117/24 dev lo',
      '2001:db8:12:48::117': 'ip address delete 2001:db8:12:48::117/64 dev lo',
      '123.45.53.13': 'ip address delete 123.45.53.13/32 dev eth0',
    };
    /** The nearest free address, where the pool has more than one. */
    const INSTEAD: Readonly<Record<string, string>> = {
      '123.45.90.117': '; the nearest free one is 123.45.90.118',
      '2001:db8:12:48::117': '; the nearest free one is 2001:db8:12:48::118',
    };
    const WIRE = '2001:db8:12:4900::7';

    for (const [address, removal] of Object.entries(HELD)) {
      const device = removal.split(' ').at(-1);

      it(`is refused to a start, by its interface and with the way out: ${address}`, async () => {
        const one = await held();
        const before = await snapshot(one.host);
        expectRefusal(
          await one.attemptPrepare('vm1', [address]),
          'vm1',
          new RegExp(`^the host itself has ${address} on ${device}; ${removal} removes it$`),
        );
        await expectUnchanged(one.host, before);
      });

      it(`is refused to an assignment: ${address}`, async () => {
        const { code, stderr } = await hnet(await held(), 'assign', 'vm9', address);
        expect({ code, stderr }).to.deep.equal({
          code: 1,
          stderr: `hnet: Cannot assign: the host itself has ${address} on ${device}; ${removal} removes it${INSTEAD[address] ?? ''}`,
        });
      });
    }

    it('is refused without a command where it is IPv6 on the uplink: the host may be reached by it', async () => {
      expectRefusal(
        await (await held()).attemptPrepare('vm1', [WIRE]),
        'vm1',
        /^2001:db8:12:4900::7 is the host's or the gateway's own address$/,
      );
      const { code, stderr } = await hnet(await held(), 'assign', 'vm9', WIRE);
      expect(code).to.equal(1);
      expect(stderr).to.contain("2001:db8:12:4900::7 is the host's or the gateway's own address");
    });

    it('is refused also as a part of a subnet', async () => {
      for (const [subnet, why] of [
        [
          '123.45.90.112/29',
          /^the host itself has 123\.45\.90\.117 on lo, an address of 123\.45\.90\.112\/29; ip/,
        ],
        [
          '2001:db8:12:4900::/64',
          /^the host itself has 2001:db8:12:4900::7 on eth0, an address of|^2001:db8:12:4900::\/64 contains/,
        ],
      ] as const)
        expectRefusal(
          await (await held()).attemptPrepare('vm1', [{ ip: subnet, bridge: 'br7', scope: '172.30.7.0/24' }]),
          'vm1',
          why,
        );
    });

    it('is reserved in the pool, and free again once its command has run', async () => {
      const one = await held();
      const rows = async () => (await hnet(one, 'pool', '--all')).stdout.split('\n');
      const rowOf = (all: readonly string[], address: string) =>
        all.findLast(row => row.startsWith(`${address} `));
      const before = await rows();
      expect(rowOf(before, '123.45.90.117')).to.match(/ reserved +- +lo \(the host's\)/);
      expect(rowOf(before, '123.45.53.13')).to.match(/ reserved +- +eth0 \(the host's\)/);
      expect(rowOf(before, '2001:db8:12:48::117')).to.match(/ reserved +- +lo \(the host's\)/);
      expect(rowOf(before, '123.45.90.116')).to.match(/ free /);
      const { stdout } = await hnet(one, 'doctor');
      const removals = Object.values(HELD).filter(removal => `${stdout}\n`.includes(`  mend  ${removal}\n`));
      expect(removals).to.have.length(Object.keys(HELD).length);
      await one.host.sh([...removals, `ip address delete ${WIRE}/128 dev eth0`].join('\n'));
      expect(rowOf(await rows(), '123.45.90.117')).to.match(/ free /);
      expect((await hnet(one, 'doctor')).stdout).not.to.contain('the host itself has');
      expect(await one.lab.internet.ping(one.host.address)).to.equal(true);
      expect(await one.lab.internet.ping(one.host.address6)).to.equal(true);
      for (const address of Object.keys(HELD))
        await one.prepare('vm1', [address]).then(() => one.release('vm1'));
    });
  });

  describe('a host that answers no ARP request for the address of another interface', () => {
    const ignore = (one: Scene, value: number): Promise<unknown> =>
      one.host.sh(`echo ${value} >/proc/sys/net/ipv4/conf/all/arp_ignore`);
    /** The guest asks for its gateway anew. */
    const reaches = async (guest: Guest): Promise<boolean> => {
      await guest.run(['ip', 'neigh', 'flush', 'all']);
      return guest.ping(INTERNET, FOUR);
    };

    for (const value of [1, 2]) {
      it(`serves a static guest all the same: arp_ignore ${value}, before its start and while it runs`, async () => {
        const { one, guest } = await whole();
        const routes = await one.host.sh('ip route get 123.45.200.10; ip route get 123.45.90.116');
        await ignore(one, value);
        expect(await reaches(guest)).to.equal(false);
        const { code, stdout } = await hnet(one, 'check');
        expect({ code, stdout }).to.deep.include({ code: 3 });
        expect(stdout).to.match(/^vm1 +answer for 123\.45\.12\.48 on br116 +missing/m);
        expect(await ok(one, 'sync')).to.deep.equal([
          'repaired: vm1: answer for 123.45.12.48 on br116 (it was missing)',
        ]);
        expect(await hnet(one, 'check')).to.include(IN_ORDER);
        expect(await reaches(guest)).to.equal(true);
        expect(await one.host.sh('ip route get 123.45.200.10; ip route get 123.45.90.116')).to.equal(routes);

        await one.prepare('vm2', ['123.45.90.117']);
        const second = await one.host.guest({ name: 'vm2', bridge: 'br117' });
        await second.static('123.45.90.117', one.host.address);
        expect(await second.ping(INTERNET)).to.equal(true);
        expect(await second.ping(FOUR)).to.equal(true);
        expect(await one.lab.internet.ping('123.45.90.117')).to.equal(true);
        expect(await one.lab.internet.ping(one.host.address)).to.equal(true);
        await second.unplug();
        await one.release('vm2');

        await ignore(one, 0);
        expect((await ok(one, 'sync')).join()).to.contain('arp_ignore is off: nothing needs it');
        expect(await one.host.run(['ip', 'address', 'show', 'dev', 'br116'])).not.to.contain('123.45.12.48');
        expect(await hnet(one, 'check')).to.include(IN_ORDER);
        expect(await reaches(guest)).to.equal(true);
      });

      for (const mode of ['bootstrap', 'public'])
        it(`serves guests that ask for a lease: arp_ignore ${value}, ${mode}`, async () => {
          const one = await scene({ config: `${CONFIG}[dhcp]\nmode = "${mode}"\n`, pools: POOLS6 });
          await ignore(one, value);
          await one.prepare('vm1', [FOUR]);
          const guest = await one.host.guest({ name: 'vm1', bridge: 'br116' });
          const lease = await guest.dhcp();
          expect(lease).to.include({ router: '172.30.116.1', serverid: '172.30.116.1' });
          await guest.run(['ip', 'neigh', 'flush', 'all']);
          expect(await guest.ping(INTERNET)).to.equal(true);
        });
    }

    it('is told of where it answers none at all: arp_ignore 8', async () => {
      const { one, guest } = await whole();
      await ignore(one, 8);
      expect(await reaches(guest)).to.equal(false);
      const { code, stdout } = await hnet(one, 'check');
      expect(code).to.equal(3);
      expect(stdout).to.match(/^vm1 +123\.45\.90\.116 +cut off +arp_ignore is 8 for all interfaces/m);
      expect(stdout).not.to.match(new RegExp(`${SIX.mine} +cut off`));
      expect((await hnet(one, 'doctor')).stdout).to.contain('mend  sysctl -w net.ipv4.conf.all.arp_ignore=0');
      await one.host.run(['sysctl', '-qw', 'net.ipv4.conf.all.arp_ignore=0']);
      await ok(one, 'sync');
      expect(await reaches(guest)).to.equal(true);
      await ignore(one, 0);
      await ok(one, 'sync');
    });
  });
});

async function running(one: Scene): Promise<{ one: Scene; guest: Guest; libvirt: FakeLibvirt }> {
  const libvirt = await FakeLibvirt.create(one);
  await one.base();
  const addresses = BOTH.mine.map(ip => ({ ip, bridge: 'br116', scope: '172.30.116.0/24' }));
  await one.prepare('vm1', addresses);
  const guest = await one.host.guest({ name: 'vm1', bridge: 'br116' });
  for (const ip of BOTH.mine) await guest.static(ip, isIpv6(ip) ? 'fe80::1' : gatewayFor(ip, one.host));
  await libvirt.run('vm1', { addresses, taps: [{ bridge: 'br116', tap: 'vm1' }] });
  expect(await ok(one, 'sync')).to.deep.equal([]);
  return { one, guest, libvirt };
}
