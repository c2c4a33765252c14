import { expect } from 'chai';
import { INTERNET6 } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { hnet, ok } from '../support/command.ts';
import { SIX } from '../support/families.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import { ethernet } from '../support/packets.ts';
import { discovery, routerAdvertisement } from '../support/packets6.ts';
import { POOLS6, type Scene } from '../support/scene.ts';
import { isAnswered } from '../support/silence.ts';
import { expectUnchanged, snapshot } from '../support/snapshot.ts';
import { kernelSuite, type NewScene } from '../support/suite.ts';
import { closeSockets } from '../support/syscalls.ts';
import { Wire } from '../support/wire.ts';

const { mine: MINE, unassigned: UNASSIGNED, host: HOST } = SIX;
const PREFIX = '2001:db8:12:4942::/64';
const INSIDE = '2001:db8:12:4942::77';

kernelSuite('a provider that looks for IPv6 addresses on the wire', newScene => {
  it('is answered for assigned addresses, for prefixes as a whole, and for nothing else', async () => {
    const { one, based } = await onLink(newScene);
    const libvirt = await FakeLibvirt.create(one);
    const guest = await one.start('vm1', MINE);
    await libvirt.run('vm1', { addresses: [MINE] });
    expect(await one.lab.internet.ping(MINE)).to.equal(true);
    expect(await guest.ping(INTERNET6)).to.equal(true);
    expect(await one.lab.internet.ping(HOST), 'the host itself').to.equal(true);
    expect(await isAnswered(one.lab.internet, UNASSIGNED), 'what nobody holds').to.equal(false);
    const known = await one.lab.gateway.run(['ip', '-6', 'neigh', 'show', 'dev', 'h1', 'to', UNASSIGNED]);
    expect(known).not.to.contain('lladdr');

    await one.host.sh(`ip neighbour del proxy ${MINE} dev eth0
      echo 0 >/proc/sys/net/ipv6/conf/eth0/proxy_ndp`);
    const found = (await hnet(one, 'check')).stdout;
    for (const what of [`neighbour proxy for ${MINE} on eth0`, 'neighbour proxy on eth0'])
      expect(found).to.contain(what);
    await ok(one, 'sync');
    await one.lab.gateway.run(['ip', '-6', 'neigh', 'flush', 'dev', 'h1']);
    expect(await one.lab.internet.ping(MINE)).to.equal(true);

    await guest.unplug();
    await one.release('vm1');
    await expectUnchanged(one.host, based);
  });

  it('is answered for a whole prefix by a responder, which sync starts again', async () => {
    const { one, based } = await onLink(newScene);
    const libvirt = await FakeLibvirt.create(one);
    await one.prepare('vm1', [PREFIX]);
    const [bridge = ''] = (
      await one.host.sh("ip -o link show type bridge | awk -F': ' '{ print $2 }'")
    ).split('\n');
    await libvirt.run('vm1', { addresses: [PREFIX] });
    const guest = await one.host.guest({ name: 'vm1', bridge });
    await guest.static(INSIDE, 'fe80::1');
    await until(() => one.lab.internet.ping(INSIDE), PATIENCE, 'an answer from the prefix');
    expect(await guest.ping(INTERNET6)).to.equal(true);
    expect(await isAnswered(one.lab.internet, '2001:db8:12:4943::77'), 'beside the prefix').to.equal(false);

    await one.host.sh('pkill -x ndppd; while pgrep -x ndppd; do sleep 0.01; done');
    expect((await ok(one, 'sync')).join('\n')).to.contain(`neighbour discovery for ${bridge} on eth0`);
    await one.lab.gateway.run(['ip', '-6', 'neigh', 'flush', 'dev', 'h1']);
    await until(() => one.lab.internet.ping(INSIDE), PATIENCE, 'an answer from the prefix');

    await guest.unplug();
    await one.release('vm1');
    await expectUnchanged(one.host, based);
  });
});

kernelSuite('an uplink that has its default route by router advertisements', newScene => {
  after(closeSockets);

  it('keeps it when forwarding is switched on, and goes on taking them', async () => {
    const one = await newScene({ pools: POOLS6, config: `pools = ${JSON.stringify(POOLS6)}\n` });
    await one.host.sh('ip -6 route del default; echo 1 >/proc/sys/net/ipv6/conf/eth0/accept_ra');
    const wire = await Wire.open(one.lab.gateway, one.host.name, one.host.site.mac);
    const mac = (await one.lab.gateway.read('/sys/class/net/h1/address')).trim();
    const advertise = () =>
      wire.sendFrame(
        ethernet(
          '33:33:00:00:00:01',
          mac,
          discovery('fe80::1', 'ff02::1', routerAdvertisement('2001:db8:7::')),
        ),
      );
    const route = () => one.host.run(['ip', '-6', 'route', 'show', 'default', 'proto', 'ra']);
    advertise();
    await until(async () => (await route()).includes('via fe80::1'), PATIENCE, 'the default route');
    await one.base();
    expect(await one.host.read('/proc/sys/net/ipv6/conf/all/forwarding')).to.equal('1');
    expect(await route()).to.contain('via fe80::1');
    const guest = await one.start('vm1', MINE);
    expect(await guest.ping(INTERNET6)).to.equal(true);
    await one.host.run(['ip', '-6', 'route', 'flush', 'proto', 'ra']);
    advertise();
    await until(async () => (await route()).includes('via fe80::1'), PATIENCE, 'the default route anew');
  });
});

/** A host whose provider doesn't route IPv6 to it, with the base up. */
async function onLink(newScene: NewScene): Promise<{ one: Scene; based: string }> {
  const config = `pools = ${JSON.stringify(POOLS6)}\nipv6 = "on-link"\n`;
  const one = await newScene({ pools: POOLS6, ipv6: 'on-link', config });
  await one.base();
  return { one, based: await snapshot(one.host) };
}
