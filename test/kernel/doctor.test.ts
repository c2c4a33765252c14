import { expect } from 'chai';
import { examine } from '../../src/doctor/examine.ts';
import { carrier } from '../lab/cable.ts';
import { INTERNET, INTERNET6 } from '../lab/site.ts';
import { equip, expectReached, obey } from '../support/advice.ts';
import { hnet } from '../support/command.ts';
import { domainXml, uuidOf } from '../support/domain.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import { POOLS6 } from '../support/scene.ts';
import { expectUnchanged, snapshot } from '../support/snapshot.ts';
import { kernelSuite } from '../support/suite.ts';
import { CASES } from '../unit/doctor-cases.ts';
import { factsOf } from '../unit/doctor-host.ts';

/** What is read of the answer of `doctor --json`. */
interface Found {
  readonly findings: readonly { readonly what: string; readonly mend: string }[];
}

const CONFIG = `pools = ${JSON.stringify(POOLS6)}\n`;

kernelSuite('no advice of doctor cuts off the host', (scene, share) => {
  const whole = share(async make => {
    const one = await make({ pools: POOLS6, config: CONFIG });
    await equip(one);
    await one.base();
    return one;
  });

  for (const [what, [change]] of Object.entries(CASES)) {
    it(`about ${what}`, async () => {
      const one = await whole();
      for (const { mend } of examine(factsOf(change))) {
        await obey(one, mend);
        await expectReached(one, mend);
      }
    });
  }

  for (const [what, config] of Object.entries({
    'a gateway inside a pool': 'pools = ["123.45.12.0/29"]\n',
    'a gateway that is a pool': 'pools = ["123.45.12.1"]\n',
    'the whole subnet of the uplink in a pool': 'pools = ["123.45.12.0/24"]\n',
    'a host inside the scopes': 'pools = ["203.0.113.0/29"]\n[dhcp]\nscopes = "123.45.0.0/16"\n',
  })) {
    it(`on a host with ${what}`, async () => {
      const one = await scene({ config });
      await equip(one);
      const { stdout } = await hnet(one, 'doctor', '--json');
      const found = (JSON.parse(stdout) as Found).findings;
      expect(found).not.to.deep.equal([]);
      for (const { mend } of found) {
        await obey(one, mend);
        await expectReached(one, mend);
      }
    });
  }
});

kernelSuite('no advice of doctor cuts off a host whose IPv6 gateway lies in a pool', scene => {
  it('and is reached by a route of its own', async () => {
    const one = await scene({ pools: POOLS6, config: CONFIG });
    const gateway = '2001:db8:12:48::1';
    await equip(one);
    await one.lab.gateway.sh(`ip -6 addr add ${gateway}/128 dev h1 nodad`);
    await one.host.sh(
      `ip -6 route add ${gateway} dev eth0; ip -6 route replace default via ${gateway} dev eth0`,
    );
    await one.base();
    await expectReached(one, 'at first');
    const { stdout } = await hnet(one, 'doctor', '--json');
    for (const { mend } of (JSON.parse(stdout) as Found).findings) {
      await obey(one, mend);
      await expectReached(one, mend);
    }
    expect(stdout).to.contain('the host routes 2001:db8:12:48::1 to eth0, in the pool 2001:db8:12:48::/64');
  });
});

kernelSuite('a host whose uplink is a bridge, with its hardware in it', scene => {
  it('serves VMs of hnet, and doctor names those that are on the bridge themselves', async () => {
    const one = await scene({ config: 'pools = ["123.45.90.112/29"]\n' });
    await one.host.sh(`ip link add vmbr0 type bridge forward_delay 0
      ip link set vmbr0 address ${one.host.site.mac}
      ip addr flush dev eth0; ip link set eth0 master vmbr0
      ip addr add ${one.host.address} peer 123.45.12.1 dev vmbr0
      ip link set vmbr0 up; ip route add default via 123.45.12.1 dev vmbr0`);
    await carrier(one.host.netns, 'vmbr0');
    expect(await one.base()).to.contain('wrote uplink = "vmbr0"');
    const libvirt = await FakeLibvirt.create(one);
    const guest = await one.start('vm1', '123.45.90.116');
    await libvirt.run('vm1', { addresses: ['123.45.90.116'], taps: [{ bridge: 'br116', tap: 'vm1' }] });
    expect(await guest.ping(INTERNET)).to.equal(true);
    expect(await one.lab.internet.ping('123.45.90.116')).to.equal(true);
    await libvirt.run('bridged', { taps: [{ bridge: 'vmbr0', tap: 'vnet7' }] });
    const direct = `<interface type='direct'><mac address='52:54:00:00:00:02'/><source dev='eth0' mode='bridge'/>
      <target dev='macvtap0'/></interface>`;
    const xml = domainXml('direct').replace('<devices>', `<devices>${direct}`);
    await libvirt.runAll(new Map([[uuidOf('direct'), xml]]));
    const { stdout } = await hnet(one, 'doctor');
    expect(stdout).to.contain(`the interface 52:54:00:00:00:01 of "bridged" is on the uplink vmbr0
  why   the provider sees its MAC, and many lock a server for a MAC that they haven't given it
  mend  hnet assign 'bridged' --nic 52:54:00:00:00:01`);
    expect(stdout).to.contain(
      'the interface 52:54:00:00:00:02 of "direct" is on eth0, which is in the uplink vmbr0',
    );
    expect(stdout).not.to.contain('of "vm1" is on');
  });
});

kernelSuite('doctor looks for the way of IPv6', scene => {
  for (const ipv6 of ['routed', 'on-link'] as const) {
    it(`changes nothing meanwhile, and finds that it is ${ipv6}`, async () => {
      const one = await scene({ pools: POOLS6, config: CONFIG, ipv6 });
      await one.base();
      const before = await snapshot(one.host);
      const monitor = one.host.start(['stdbuf', '-oL', 'ip', 'monitor', 'address', 'route', 'rule', 'link']);
      const { stdout } = await hnet(one, 'doctor', '--json');
      const seen = await monitor.stop();
      expect(seen).to.equal('');
      await expectUnchanged(one.host, before);
      const found = (JSON.parse(stdout) as Found).findings.map(({ what }) => what);
      const said = found.filter(what =>
        /the gateway's answer to|the gateway looks for|can't be found out/.test(what),
      );
      expect(said.map(what => /pool \S+(?=, (did|on))/.exec(what)?.[0])).to.deep.equal(
        ipv6 === 'routed' ? [] : ['pool 2001:db8:12:48::/64', 'pool 2001:db8:12:4900::/56'],
      );
      expect(await one.host.ping(INTERNET6)).to.equal(true);
    });
  }
});
