import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { hnet, ok } from '../support/command.ts';
import { BOTH, FAMILIES, SIX } from '../support/families.ts';
import { filterSuite } from '../support/filter-suite.ts';
import { type Backend, type Filtered, toMetadata } from '../support/filtered.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import { POOLS6 } from '../support/scene.ts';
import { isAnswered } from '../support/silence.ts';
import { expectUnchanged, snapshot } from '../support/snapshot.ts';

const [FIRST = ''] = BOTH.mine;
const POLICY = { rules: ['deny tcp/25'] };
const TAPS = [{ bridge: 'br116', tap: 'vm1' }];

/** Whatever other software, or an operator's slip, may do to the IPv6 of a host while its domains run. */
const DAMAGE: Readonly<Record<string, (backend: Backend) => string>> = {
  'every IPv6 address removed': () => 'ip -6 address flush dev br116',
  'routes removed, and forwarding switched off': () => `ip -6 route del ${SIX.mine} dev br116
    ip -6 route del unreachable 2001:db8:12:48::/64 metric 200
    echo 0 >/proc/sys/net/ipv6/conf/all/forwarding`,
  'the route led elsewhere': () => `ip link add other type bridge; ip link set other up
    ip -6 route replace ${SIX.mine} dev other metric 100 proto 104`,
  'the filter flushed': backend =>
    backend === 'nftables' ? 'nft flush ruleset' : 'for table in raw mangle; do ip6tables -t $table -F; done',
  'the table, or chains and sets, destroyed': backend =>
    backend === 'nftables'
      ? 'nft delete table ip6 hnet'
      : `for table in raw mangle nat; do ip6tables -t $table -F; ip6tables -t $table -X; done
         for set in $(ipset list -n | grep hnet6); do ipset destroy $set; done`,
  'the sets flushed': backend =>
    backend === 'nftables'
      ? 'for set in in out near; do nft flush set ip6 hnet hnet6-$set; done'
      : 'for set in in out near; do ipset flush hnet6-$set; done',
  'IPv6 switched off on the bridge': () => 'echo 1 >/proc/sys/net/ipv6/conf/br116/disable_ipv6',
  'router advertisements believed on the bridge': () => 'echo 2 >/proc/sys/net/ipv6/conf/br116/accept_ra',
  'forwarding switched off on the uplink': () => 'echo 0 >/proc/sys/net/ipv6/conf/eth0/forwarding',
  'forwarding switched off on the bridge': () => 'echo 0 >/proc/sys/net/ipv6/conf/br116/forwarding',
  'the bridge deleted': () => 'ip link del br116',
};

filterSuite('sync', ({ host, backend }) => {
  let one: Filtered;
  let guest: Guest;
  let libvirt: FakeLibvirt;
  let based: string;

  before(async () => {
    one = await host({ pools: POOLS6 });
    based = await snapshot(one.host);
    libvirt = await FakeLibvirt.create(one.scene);
    guest = await one.start('vm1', BOTH.mine, POLICY);
    await libvirt.run('vm1', { metadata: toMetadata('vm1', BOTH.mine, POLICY), taps: TAPS });
    expect(await ok(one.scene, 'sync')).to.deep.equal([]);
  });

  for (const [what, harm] of Object.entries(DAMAGE)) {
    // What isn't of the filter's is the same beside each.
    if (backend !== 'nftables' && harm(backend) === harm('nftables')) continue;
    it(`repairs in IPv6: ${what}`, async () => {
      await one.host.sh(harm(backend));
      const seen = await hnet(one.scene, 'check');
      expect(seen.code, seen.stdout).to.equal(3);
      expect(await ok(one.scene, 'sync')).not.to.deep.equal([]);
      await one.host.sh('ip link del other 2>/dev/null || true');
      expect(await hnet(one.scene, 'check')).to.include({
        code: 0,
        stdout: 'Everything is as it should be',
      });
      for (const { internet, mine } of FAMILIES) {
        expect(await guest.ping(internet)).to.equal(true);
        expect(await one.lab.internet.ping(mine)).to.equal(true);
      }
    });
  }

  it("sweeps what is nobody's in IPv6: a route, an entry, chains", async () => {
    const before = await snapshot(one.host);
    const stray = '2001:db8:12:48::99';
    const chain = 'hnet-in-0123456789abcdef';
    await one.host.sh(`ip -6 route add ${stray} dev br116 metric 100 proto 104
      ${
        backend === 'nftables'
          ? `nft add element ip6 hnet hnet6-in "{ ${stray} }"; nft add chain ip6 hnet ${chain}`
          : `ipset add hnet6-in ${stray}; ip6tables -N ${chain}`
      }`);
    expect((await hnet(one.scene, 'check')).code).to.equal(3);
    const swept = (await ok(one.scene, 'sync')).join('\n');
    for (const what of [`route ${stray} to br116`, `${stray} in hnet6-in`, chain])
      expect(swept).to.contain(what);
    await expectUnchanged(one.host, before);
    expect(await ok(one.scene, 'sync')).to.deep.equal([]);
  });

  it('sweeps everything of a domain of both families of which no record is left', async () => {
    await libvirt.end('vm1');
    await guest.unplug();
    await one.host.sh('rm -r /run/hnet/*');
    await ok(one.scene, 'sync');
    await expectUnchanged(one.host, based);
  });
});

filterSuite('a running domain of IPv4', ({ host }) => {
  it('gets an IPv6 address and gives it back, while its IPv4 goes on', async () => {
    const one = await host({ pools: POOLS6 });
    const guest = await one.start('vm1', FIRST, POLICY);
    const before = await snapshot(one.host);
    await one.change('vm1', BOTH.mine, POLICY);
    await guest.static(SIX.mine, 'fe80::1');
    expect(await one.lab.internet.ping(SIX.mine)).to.equal(true);
    for (const { internet } of FAMILIES) expect(await guest.ping(internet)).to.equal(true);
    await one.change('vm1', FIRST, POLICY);
    expect(await isAnswered(one.lab.internet, SIX.mine)).to.equal(false);
    expect(await one.lab.internet.ping(FIRST)).to.equal(true);
    await guest.sh(`ip address del ${SIX.mine}/128 dev eth0; ip -6 route flush default`);
    await expectUnchanged(one.host, before);
  });
});
