import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { INTERNET } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { assignmentXml, domainXml, uuidOf } from '../support/domain.ts';
import type { Scene } from '../support/scene.ts';
import { kernelSuite } from '../support/suite.ts';
import { equip, fetchTools } from './toolbox.ts';

const MAC = '52:54:00:00:00:01';
const IP = '123.45.90.116';
const GATEWAY = '172.30.116.1';

/** A real DHCP client in a guest's namespaces. */
interface Client {
  readonly name: string;
  /** Prepares the guest, and gives back the client's command line. */
  readonly prepare: (guest: Guest) => Promise<readonly string[]>;
  /** Makes it renew at once; without one it does so by itself, after half of its lease. */
  readonly renew?: readonly string[];
}

const UDHCPC_SCRIPT = readFileSync(new URL('../lab/udhcpc.sh', import.meta.url), 'utf8');

const CLIENTS: readonly Client[] = [
  {
    name: 'busybox udhcpc',
    prepare: async guest => {
      await guest.write('/run/udhcpc.sh', UDHCPC_SCRIPT);
      await guest.run(['chmod', '755', '/run/udhcpc.sh']);
      const options = ['-f', '-i', 'eth0', '-O', '121', '-s', '/run/udhcpc.sh', '-p', '/run/client.pid'];
      return ['busybox', 'udhcpc', ...options];
    },
    renew: ['sh', '-c', 'kill -USR1 "$(cat /run/client.pid)"'],
  },
  {
    name: 'ISC dhclient',
    prepare: async () => ['dhclient', '-d', '-lf', '/run/dhclient.leases', '-pf', '/run/client.pid', 'eth0'],
  },
  {
    name: 'dhcpcd',
    prepare: async guest => {
      await guest.write('/run/dhcpcd.conf', 'clientid\noption classless_static_routes\nnoipv6\nnoarp\n');
      await guest.sh('mkdir -p /run/dhcpcd /var/lib/dhcpcd /var/lib/dhcpcd5');
      return ['dhcpcd', '-B', '-4', '-d', '-f', '/run/dhcpcd.conf', 'eth0'];
    },
    renew: ['dhcpcd', '-4', '-n', '-f', '/run/dhcpcd.conf', 'eth0'],
  },
  {
    name: 'systemd-networkd',
    prepare: async guest => {
      // There is no udev to wait for, which it takes from /sys being read-only, as in a container.
      await guest.sh(
        'mount -o remount,ro,bind /sys; rm -rf /etc/systemd/network; mkdir -p /run/systemd/netif',
      );
      await guest.sh('chown -R systemd-network: /run/systemd/netif');
      await guest.write(
        '/etc/systemd/network/eth0.network',
        '[Match]\nName=eth0\n[Network]\nDHCP=ipv4\nIPv6AcceptRA=no\n',
      );
      return ['/lib/systemd/systemd-networkd'];
    },
  },
  {
    name: "NetworkManager's own",
    prepare: async guest => {
      await guest.sh('mount -o remount,ro,bind /sys; mkdir -p /run/dbus /run/NetworkManager');
      await guest.write(
        '/etc/NetworkManager/NetworkManager.conf',
        '[main]\nplugins=keyfile\ndhcp=internal\ndns=none\nrc-manager=unmanaged\n[device]\nmatch-device=*\nmanaged=1\n',
      );
      const file = '/etc/NetworkManager/system-connections/eth0.nmconnection';
      await guest.write(
        file,
        '[connection]\nid=eth0\ntype=ethernet\ninterface-name=eth0\n[ipv4]\nmethod=auto\n[ipv6]\nmethod=disabled\n',
      );
      await guest.run(['chmod', '600', file]);
      await guest.run(['dbus-daemon', '--system', '--fork']);
      return ['NetworkManager', '--no-daemon'];
    },
    renew: ['nmcli', 'connection', 'up', 'eth0'],
  },
];

/** A domain in a mode of its own, whose guest is plugged in and has nothing configured. */
async function start(scene: Scene, mode: string): Promise<Guest> {
  const metadata = assignmentXml(uuidOf('vm1'), [IP]).replace(' domain=', ` dhcp="${mode}" domain=`);
  const xml = domainXml('vm1', { metadata, taps: [{ bridge: 'br116', tap: 'vm1' }] });
  expect(await scene.hook('prepare', 'vm1', xml)).to.deep.equal({ code: 0, stdout: '', stderr: '' });
  return scene.host.guest({ name: 'vm1', bridge: 'br116', mac: MAC });
}

const addressesOf = async (guest: Guest): Promise<string> =>
  (await guest.sh("ip -4 -o addr show dev eth0 | awk '{ print $4 }'")).trim();

kernelSuite('a public lease', newScene => {
  before(fetchTools);

  for (const client of CLIENTS) {
    it(`is taken by ${client.name}, which reaches the Internet by it and renews it`, async () => {
      // The shortest lease, for those that renew by themselves only.
      const scene = await newScene({ config: `pools = ["123.45.90.112/29"]\n[dhcp]\nlease = "2m"\n` });
      const guest = await start(scene, 'public');
      await equip(guest);
      const running = guest.start(await client.prepare(guest));
      const said = () => scene.host.sh('cat /var/lib/hnet/leases/br116.leases');
      try {
        await until(async () => (await addressesOf(guest)) === `${IP}/32`, PATIENCE, 'the address');
        await until(async () => guest.ping(INTERNET), PATIENCE, 'an answer from outside');
        const routes = await guest.run(['ip', 'route']);
        expect(routes).to.match(new RegExp(`^default via ${GATEWAY} dev eth0`, 'm'));
        expect(routes).to.match(new RegExp(`^${GATEWAY} dev eth0`, 'm'));
        const [first = ''] = (await said()).split(' ');
        expect(Number(first)).to.be.above(Date.now() / 1000);
        if (client.renew !== undefined) {
          // A lease's end is in whole seconds: one must have passed for a new one to be told from the old.
          await until(() => Date.now() / 1000 > Number(first) - 118, PATIENCE, 'the next second');
          await guest.run(client.renew);
        }
        const renewed = async () => Number((await said()).split(' ')[0]) > Number(first);
        await until(renewed, PATIENCE, 'the renewal');
        expect(await addressesOf(guest)).to.equal(`${IP}/32`);
        expect(await guest.ping(INTERNET)).to.equal(true);
      } catch (error) {
        throw new Error(`${(error as Error).message}\n${running.output}`);
      } finally {
        await running.stop();
      }
    }).timeout(900_000);
  }

  it('carries hostname, domain, resolvers and both kinds of routes', async () => {
    const scene = await newScene();
    const guest = await start(scene, 'public');
    expect(await guest.dhcp()).to.deep.equal({
      ip: IP,
      mask: '32',
      router: GATEWAY,
      dns: '123.45.200.10 9.9.9.9',
      domain: 'lan',
      hostname: 'vm1',
      lease: '3600',
      serverid: GATEWAY,
      staticroutes: `${GATEWAY}/32 0.0.0.0 0.0.0.0/0 ${GATEWAY}`,
      mtu: '1500',
      ntpsrv: '',
      siaddr: GATEWAY,
      boot_file: '',
    });
  });

  it('is not given to another interface on the wire', async () => {
    const scene = await newScene();
    await start(scene, 'public');
    const stranger = await scene.host.guest({ name: 'other', bridge: 'br116', mac: '52:54:00:00:00:99' });
    const once = ['busybox', 'udhcpc', '-f', '-q', '-n', '-t2', '-T1', '-i', 'eth0', '-s', '/bin/true'];
    expect((await stranger.attempt(once)).code).to.equal(1);
  });

  it('is not served with DHCP off, nor is anything else', async () => {
    const scene = await newScene();
    await start(scene, 'off');
    expect(await scene.host.run(['ss', '-Hulnp', 'sport = :67'])).to.equal('');
    expect(await scene.host.run(['ip', 'route', 'show', IP])).to.include('dev br116');
  });

  it('is the default where the configuration says so', async () => {
    const scene = await newScene({ config: 'pools = ["123.45.90.112/29"]\n[dhcp]\nmode = "public"\n' });
    await scene.prepare('vm1', [IP]);
    const guest = await scene.host.guest({ name: 'vm1', bridge: 'br116' });
    expect((await guest.dhcp()).ip).to.equal(IP);
  });
});
