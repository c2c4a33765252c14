import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { INTERNET6 } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { assignmentXml, domainXml, uuidOf } from '../support/domain.ts';
import { BOTH, SIX } from '../support/families.ts';
import { octets } from '../support/octets.ts';
import { POOLS6, type Scene } from '../support/scene.ts';
import {
  isAdvertisement,
  linkLocal,
  names,
  routerSolicited,
  solicit,
  solicitRouter,
} from '../support/solicit.ts';
import { kernelSuite, type NewScene } from '../support/suite.ts';
import { closeSockets } from '../support/syscalls.ts';
import { Wire } from '../support/wire.ts';

const MAC = '52:54:00:00:00:01';
const { mine: MINE } = SIX;
const RESOLVER = '2001:db8:53::53';
const [DUID, OTHER_DUID] = [
  [0, 3, 0, 1, 2, 2, 2, 2, 2, 2],
  [0, 4, ...Array<number>(16).fill(7)],
];
const [MANAGED, OTHER] = [0x80, 0x40];

kernelSuite('IPv6 leases', newScene => {
  afterEach(closeSockets);

  it('are bound to the MAC, whatever the DUID, with the router and its name servers advertised', async () => {
    const { one, guest, wire } = await start(newScene, [MINE], 'bootstrap');
    const advertised = await solicitRouter(guest, wire);
    expect((advertised[5] ?? 0) & (MANAGED | OTHER), 'flags').to.equal(MANAGED | OTHER);
    expect(advertised.readUInt16BE(6), 'lifetime of the route').to.equal(1800);
    expect(names(advertised, RESOLVER), 'RDNSS').to.equal(true);
    for (const duid of [DUID, OTHER_DUID]) {
      const offer = await solicit(guest, wire, duid);
      expect(names(offer, MINE)).to.equal(true);
      // An installer's DUID keeps the address no longer than this from the one of the system that it leaves behind.
      const at = offer.indexOf(Buffer.from(octets(MINE)));
      expect(offer.readUInt32BE(at + 20), 'valid for').to.equal(120);
      expect(names(offer, RESOLVER)).to.equal(true);
    }
    const stranger = await one.host.guest({ name: 'other', bridge: 'br116', mac: '52:54:00:00:00:99' });
    const theirs = await Wire.open(stranger, 'eth0', guest.mac);
    expect(names(await solicit(stranger, theirs, DUID), MINE), 'another MAC').to.equal(false);
  });

  it('are taken by systemd-networkd', async () => {
    const { one, guest } = await start(newScene, [MINE], 'bootstrap');
    const client = guest.start(await networkd(guest));
    try {
      const show = ['ip', '-6', 'addr', 'show', 'dev', 'eth0'];
      await until(async () => (await guest.run(show)).includes(`${MINE}/128`), PATIENCE, 'the address');
      await until(() => guest.ping(INTERNET6), PATIENCE, 'an answer from outside');
      expect(await one.lab.internet.ping(MINE)).to.equal(true);
      expect(await guest.run(['ip', '-6', 'route'])).to.match(/^default .*via fe80::1 dev eth0/m);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${client.output}`);
    } finally {
      await client.stop('SIGKILL');
    }
  });

  it('of a whole /64 are for autoconfiguration, by the kernel itself', async () => {
    const { one, guest, wire } = await start(newScene, ['2001:db8:12:4942::/64'], 'bootstrap', 'br0');
    const advertised = await solicitRouter(guest, wire);
    expect((advertised[5] ?? 0) & (MANAGED | OTHER), 'flags').to.equal(OTHER);
    expect(names(advertised, '2001:db8:12:4942::'), 'its prefix').to.equal(true);
    expect(names(advertised, RESOLVER), 'RDNSS').to.equal(true);
    const own = linkLocal(MAC).replace('fe80::', '2001:db8:12:4942:');
    const routes = () => guest.run(['ip', '-6', 'route']);
    await until(
      async () => /^default via fe80::1 dev eth0 proto ra/m.test(await routes()),
      PATIENCE,
      'the route',
    );
    expect(await guest.run(['ip', '-6', 'addr', 'show', 'dev', 'eth0'])).to.contain(`${own}/64`);
    expect(await guest.ping(INTERNET6, own)).to.equal(true);
    expect(await one.lab.internet.ping(own)).to.equal(true);
  });

  it('are there beside a public IPv4 lease', async () => {
    const { guest, wire } = await start(newScene, BOTH.mine, 'public');
    expect((await guest.dhcp()).ip).to.equal(BOTH.mine[0]);
    expect(names(await solicit(guest, wire, DUID), MINE)).to.equal(true);
  });

  it('are not there with DHCP off, nor is a router advertised; the address works', async () => {
    const { one, guest, wire } = await start(newScene, BOTH.mine, 'off');
    expect(await one.host.run(['ss', '-Hulnp', 'sport = :547 or sport = :67'])).to.equal('');
    await guest.static(MINE, 'fe80::1');
    wire.sendFrame(routerSolicited(guest));
    expect(await one.lab.internet.ping(MINE), 'to follow it').to.equal(true);
    expect(wire.frames().filter(isAdvertisement)).to.have.length(0);
  });
});

/** A domain that has a NIC with a MAC of its own, plugged in and with nothing configured. */
async function start(newScene: NewScene, ips: readonly string[], mode: string, bridge = 'br116') {
  const config = `pools = ${JSON.stringify(POOLS6)}\n[dhcp]\ndns = ["${RESOLVER}"]\n`;
  const one = await newScene({ pools: POOLS6, config });
  const scope = bridge === 'br0' ? '172.30.0.0/24' : '172.30.116.0/24';
  const addresses = ips.map(ip => ({ ip, bridge, scope }));
  const metadata = assignmentXml(uuidOf('vm1'), addresses).replace(' domain=', ` dhcp="${mode}" domain=`);
  const xml = domainXml('vm1', { metadata, taps: [{ bridge, tap: 'vm1' }] });
  expect(await one.hook('prepare', 'vm1', xml)).to.deep.equal({ code: 0, stdout: '', stderr: '' });
  const guest = await one.host.guest({ name: 'vm1', bridge, mac: MAC });
  const mac = (await one.host.read(`/sys/class/net/${bridge}/address`)).trim();
  return { one, guest, wire: await Wire.open(guest, 'eth0', mac) } satisfies {
    one: Scene;
    guest: Guest;
    wire: Wire;
  };
}

async function networkd(guest: Guest): Promise<readonly string[]> {
  // There is no udev to wait for, which it takes from /sys being read-only, as in a container.
  await guest.sh('mount -o remount,ro,bind /sys; rm -rf /etc/systemd/network; mkdir -p /run/systemd/netif');
  await guest.sh('chown -R systemd-network: /run/systemd/netif');
  // What the DUID of a vendor is made from.
  await guest.write('/etc/machine-id', '0123456789abcdef0123456789abcdef\n');
  await guest.write(
    '/etc/systemd/network/eth0.network',
    '[Match]\nName=eth0\n[Network]\nDHCP=ipv6\nIPv6AcceptRA=yes\n',
  );
  return ['/lib/systemd/systemd-networkd'];
}
