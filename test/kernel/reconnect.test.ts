import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { INTERNET } from '../lab/site.ts';
import { domainXml } from '../support/domain.ts';
import { type Scene, VARIANTS } from '../support/scene.ts';
import { comparable, difference, expectUnchanged, snapshot } from '../support/snapshot.ts';
import { kernelSuite } from '../support/suite.ts';

const TAPS = [{ bridge: 'br116', tap: 'vm1' }];

/** What may happen to a running domain's network while nobody looks. */
const DAMAGE: Readonly<Record<string, string>> = {
  'a bridge that was deleted': 'ip link del br116',
  'a bridge that is down': 'ip link set br116 down',
  'a tap that was set down, a port that is locked':
    'ip link set vm1 down; ip link set vm1 type bridge_slave locked on',
  'a bridge that lost its address': 'ip address flush dev br116',
  'a bridge in no device group': 'ip link set br116 group default',
  'bridge settings that were changed':
    'ip link set br116 type bridge stp_state 1 ageing_time 30000 mcast_snooping 1',
  'switches that were changed': 'echo 0 >/proc/sys/net/ipv4/conf/br116/arp_filter',
  'a lost route': 'ip route del 123.45.90.116 dev br116',
  'a route that leads elsewhere':
    'ip link add other type bridge; ip link set other up; ip route replace 123.45.90.116/32 dev other proto 104',
  'a set that was emptied': 'ipset flush hnet4-out; ipset flush hnet4-in',
  'chains that were flushed, and their jumps':
    'iptables -t mangle -F; iptables -t raw -F; iptables -t nat -F',
  'a DHCP server that died': 'pkill -x dnsmasq; while pgrep -x dnsmasq >/dev/null; do sleep 0.01; done',
  'forwarding switched off': 'echo 0 >/proc/sys/net/ipv4/ip_forward',
  'a lost blackhole': 'ip route del blackhole 123.45.90.112/29',
};

kernelSuite('reconnect repairs', (_, share) => {
  for (const variant of VARIANTS) {
    const whole = share(async scene => running(await scene({ variant })));

    for (const [what, harm] of Object.entries(DAMAGE)) {
      // Only what concerns the filter can differ between its kinds.
      if (variant === 'legacy' && !harm.includes('iptables')) continue;
      it(`${what} (${variant})`, async () => {
        const { one, guest } = await whole();
        await guest.run(['ip', '-4', 'address', 'flush', 'dev', 'eth0']);
        await guest.static('123.45.90.116', one.host.address);
        const sound = await comparable(one.host);
        await one.host.sh(harm);
        expect(await comparable(one.host)).not.to.equal(sound);
        await one.reconnect('vm1', TAPS);
        await one.host.sh('ip link del other 2>/dev/null || true');
        expect(difference(sound, await comparable(one.host))).to.deep.equal([]);
        expect(await guest.ping(INTERNET)).to.equal(true);
        expect((await guest.dhcp()).router).to.equal('172.30.116.1');
      });
    }
  }
});

kernelSuite('reconnect', scene => {
  it('changes nothing where nothing is wrong', async () => {
    const { one } = await running(await scene());
    const before = await snapshot(one.host);
    const pid = await one.host.run(['pgrep', '-x', 'dnsmasq']);
    await one.reconnect('vm1', TAPS);
    await expectUnchanged(one.host, before);
    expect(await one.host.run(['pgrep', '-x', 'dnsmasq'])).to.equal(pid);
  });

  it('claims anew what lost its attachment, so that release finds it', async () => {
    const one = await scene();
    await one.base();
    const before = await snapshot(one.host);
    await one.prepare('vm1', ['123.45.90.116']);
    await one.host.sh('rm -r /run/hnet/attachments /run/hnet/claims');
    await one.reconnect('vm1');
    expect((await one.attemptPrepare('vm2', ['123.45.90.116'])).stderr).to.contain('in use by domain "vm1"');
    await one.release('vm1');
    await expectUnchanged(one.host, before);
  });

  for (const [what, harm] of [
    ['the configuration is broken', 'echo "pools = [" >/etc/hnet/hnet.toml'],
    ['there is no configuration', 'rm /etc/hnet/hnet.toml'],
    ['there is no default route', 'ip route del default'],
    ['a foreign bridge took its place', 'ip link del br116; ip link add br116 type bridge'],
  ] as const) {
    it(`lets the VM live although ${what}`, async () => {
      const { one } = await running(await scene());
      await one.host.sh(harm);
      await one.reconnect('vm1', TAPS);
    });
  }

  it('lets the VM live although its XML is broken', async () => {
    const { one } = await running(await scene());
    const whole = domainXml('vm1', { addresses: ['123.45.90.116'], taps: TAPS });
    for (const xml of ['', whole.slice(0, 200), whole.replace('116', '1.6'), '<a/>']) {
      expect(await one.hook('reconnect', 'vm1', xml)).to.deep.equal({ code: 0, stdout: '', stderr: '' });
    }
  });

  it('lets the VM live although a tool hangs, within its deadline', async () => {
    const { one } = await running(await scene());
    // Not exec: what hangs is a child of the child, which keeps the outputs open.
    await one.replace('/usr/sbin/ip', 'sleep 600');
    const begun = performance.now();
    await one.reconnect('vm1', TAPS);
    // The tool would hang for ten minutes; the hook gives up after half a minute, which a busy machine may stretch.
    expect(performance.now() - begun).to.be.below(120_000);
  });
});

async function running(one: Scene): Promise<{ one: Scene; guest: Guest }> {
  await one.base();
  return { one, guest: await one.start('vm1', '123.45.90.116') };
}
