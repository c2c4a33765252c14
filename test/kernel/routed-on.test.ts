import { expect } from 'chai';
import { ip } from '../lab/cable.ts';
import { Guest } from '../lab/guest.ts';
import { INTERNET, INTERNET6 } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { hnet, ok } from '../support/command.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import { packet, udp } from '../support/packets.ts';
import { POOLS6, type Scene } from '../support/scene.ts';
import { expectUnchanged, snapshot } from '../support/snapshot.ts';
import { kernelSuite } from '../support/suite.ts';
import { Wire } from '../support/wire.ts';

const [ROUTER, PREFIX, BEHIND] = ['123.45.90.117', '123.45.90.112/30', '123.45.90.114'];
const [ROUTER6, PREFIX6, BEHIND6] = ['2001:db8:12:48::117', '2001:db8:12:4942::/64', '2001:db8:12:4942::2'];
const OTHER = '123.45.53.12';
const [BRIDGE, SCOPE] = ['br117', '172.30.117.0/24'];
const WANTED = [
  { ip: PREFIX, bridge: BRIDGE, scope: SCOPE, via: ROUTER },
  { ip: ROUTER, bridge: BRIDGE, scope: SCOPE },
  { ip: ROUTER6, bridge: BRIDGE, scope: SCOPE },
  { ip: PREFIX6, bridge: BRIDGE, scope: SCOPE, via: ROUTER6 },
];

/** A VM that is a router, and a machine behind it that the host knows nothing of. */
async function network(one: Scene): Promise<{ router: Guest; behind: Guest }> {
  const router = await one.host.guest({ name: 'vm1', bridge: BRIDGE });
  await router.static(ROUTER, one.host.address);
  await router.static(ROUTER6, 'fe80::1');
  await router.sh(`sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.accept_dad=0
    ip link add lan type bridge forward_delay 0; ip addr add 123.45.90.113/30 dev lan
    ip addr add 2001:db8:12:4942::1/64 dev lan nodad; ip link set lan up`);
  const behind = await Guest.create(one.lab.dir, router, 7, { name: 'lan1', bridge: 'lan' });
  await ip(behind.netns, [
    `addr add ${BEHIND}/30 dev eth0`,
    `addr add ${BEHIND6}/64 dev eth0 nodad`,
    'route add default via 123.45.90.113',
    'route add default via 2001:db8:12:4942::1',
  ]);
  return { router, behind };
}

for (const backend of ['iptables', 'nftables'])
  kernelSuite(`a prefix that a VM routes on (${backend})`, newScene => {
    it('reaches what is behind it, both ways, from that VM alone, and goes with it', async () => {
      const config = `pools = ${JSON.stringify(POOLS6)}\n[firewall]\nbackend = "${backend}"\n`;
      const one = await newScene({ pools: POOLS6, config });
      await one.base();
      const based = await snapshot(one.host);
      const libvirt = await FakeLibvirt.create(one);
      await one.prepare('vm1', WANTED);
      await libvirt.run('vm1', { addresses: WANTED, taps: [{ bridge: BRIDGE, tap: 'vm1' }] });
      const other = await one.start('vm2', OTHER);
      await libvirt.run('vm2', { addresses: [OTHER], taps: [{ bridge: 'br12', tap: 'vm2' }] });
      const { router, behind } = await network(one);
      const reached = async (): Promise<boolean[]> =>
        Promise.all([
          ...[BEHIND, BEHIND6, ROUTER, ROUTER6].map(address => one.lab.internet.ping(address)),
          ...[INTERNET, INTERNET6, OTHER, one.host.address].map(address => behind.ping(address)),
          other.ping(BEHIND),
          one.host.ping(BEHIND6),
        ]);
      expect(await reached()).to.not.include(false);
      expect((await hnet(one, 'check')).stdout).to.equal('Everything is as it should be');
      expect((await hnet(one, 'status')).stdout).not.to.match(/missing|down/);
      expect(await ok(one, 'doctor', 'vm1')).to.include(
        'Nothing was found that keeps "vm1" from being reached',
      );

      const uplink = await one.lab.gateway.read('/sys/class/net/inet/address');
      const internet = await Wire.open(one.lab.internet, 'eth0', uplink.trim());
      const seen = await Wire.open(router, 'eth0', '00:00:00:00:00:00');
      const scanned = (number: number): string => `2001:db8:12:4942::${number.toString(16)}`;
      for (let number = 16; number < 316; number++)
        internet.send(packet(INTERNET6, scanned(number), 'udp', udp(1, 9, 'one of many addresses')));
      await until(
        () => seen.count('one of many addresses') === 300,
        PATIENCE,
        'packets to all of 300 addresses',
      );

      await other.sh(`ip addr add ${BEHIND}/32 dev eth0`);
      expect(await other.ping(INTERNET, BEHIND), 'another VM under an address of the prefix').to.equal(false);
      await other.sh(`ip addr del ${BEHIND}/32 dev eth0`);

      await one.host.sh(`ip route replace ${PREFIX} dev ${BRIDGE} proto 104`);
      const { stdout } = await hnet(one, 'check');
      expect(stdout).to.match(
        /route 123\.45\.90\.112\/30 to br117 via 123\.45\.90\.117 .*it has no next hop/,
      );
      await ok(one, 'sync');
      expect(await reached()).to.not.include(false);

      for (const guest of [behind, router, other]) if (guest !== behind) await guest.unplug();
      for (const name of ['vm1', 'vm2']) {
        await one.release(name);
        await libvirt.end(name);
      }
      await expectUnchanged(one.host, based);
    });
  });
