import { expect } from 'chai';
import type { Guest } from '../lab/guest.ts';
import { INTERNET } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { COMMAND, NODE } from '../support/build.ts';
import { hnet, ok } from '../support/command.ts';
import { BOTH, FAMILIES } from '../support/families.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import { gatewayFor, POOLS6, type Scene } from '../support/scene.ts';
import { kernelSuite, type NewScene } from '../support/suite.ts';

const BACKENDS = ['iptables', 'nftables'] as const;
const CONFIG = (backend: string, more = '') => `pools = ${JSON.stringify(POOLS6)}
uplink = "eth0"
${more}
[dhcp]
mode = "public"
[firewall]
backend = "${backend}"
`;
const SIZE = 10_000_000;

const LOST = `add table inet lost
delete table inet lost
table inet lost {
  chain output {
    type filter hook output priority 0
    icmp code frag-needed drop
    icmpv6 type packet-too-big drop
  }
}`;

/** The wire to the provider takes 1,400 bytes, and nobody outside ever hears that a packet was too big. */
async function narrow({ lab, host }: Scene): Promise<void> {
  await lab.gateway.run(['ip', 'link', 'set', host.name, 'mtu', '1400']);
  await host.run(['ip', 'link', 'set', 'eth0', 'mtu', '1400']);
  await lab.gateway.run(['nft', '-f', '-'], { input: LOST });
}

/** A domain of both families that runs, and its guest, whose port libvirt knows. */
async function running(one: Scene): Promise<Guest> {
  await one.base();
  const addresses = BOTH.mine.map(ip => ({ ip, bridge: 'br116', scope: '172.30.116.0/24' }));
  await one.prepare('mine', addresses);
  const libvirt = await FakeLibvirt.create(one);
  await libvirt.run('mine', { addresses, taps: [{ bridge: 'br116', tap: 'mine' }] });
  return one.host.guest({ name: 'mine', bridge: 'br116', mac: '52:54:00:00:00:01' });
}

async function narrowed(scene: NewScene, backend: string, more = '') {
  const one = await scene({ pools: POOLS6, config: CONFIG(backend, more) });
  await narrow(one);
  const guest = await running(one);
  await one.lab.internet.sh(`mkdir -p /run/www; head -c ${SIZE} /dev/zero >/run/www/large`);
  const server = one.lab.internet.start(['busybox', 'httpd', '-f', '-p', '[::]:80', '-h', '/run/www']);
  const listens = async () => (await one.lab.internet.run(['ss', '-Htln', 'sport = :80'])) !== '';
  await until(listens, PATIENCE, 'a server');
  return { one, guest, server };
}
type Narrowed = Awaited<ReturnType<typeof narrowed>>;

/** How much a guest gets of a file. (busybox's wget, linked statically, has no resolver and crashes.) */
async function download({ guest }: Narrowed, server: string): Promise<number> {
  // The kernel must have learnt nothing from an earlier try.
  await guest.sh('ip route flush cache; ip -6 route flush cache');
  const fetch = `exec 3<>/dev/tcp/${server}/80 && printf 'GET /large HTTP/1.0\\r\\n\\r\\n' >&3 && timeout 60 sed '1,/^\\r$/d' <&3 | wc -c`;
  return Number((await guest.attempt(['bash', '-c', fetch])).stdout);
}

const mtuOf = async ({ host }: Scene, device: string): Promise<number> =>
  Number(await host.read(`/sys/class/net/${device}/mtu`));

const clamps = async ({ host }: Scene): Promise<number> =>
  Number(await host.sh('(iptables-save; ip6tables-save) | grep -c set-mss || true'));

for (const backend of BACKENDS) {
  kernelSuite(`an uplink that takes smaller packets (${backend})`, (_, share) => {
    const whole = share((scene: NewScene) => narrowed(scene, backend));
    const larger = share((scene: NewScene) => narrowed(scene, backend, 'mtu = 1500'));

    it('is what a guest is told by DHCP and by router advertisements', async () => {
      const { one, guest } = await whole();
      expect(await mtuOf(one, 'br116')).to.equal(1400);
      expect(await guest.dhcp()).to.include({ ip: '123.45.90.116', mtu: '1400' });
      expect(await guest.read('/sys/class/net/eth0/mtu')).to.equal('1400');
      await guest.sh('ip link set eth0 down; ip link set eth0 mtu 1500 up');
      const told = async () => (await guest.read('/proc/sys/net/ipv6/conf/eth0/mtu')).trim() === '1400';
      await until(told, PATIENCE, 'an advertised MTU');
    });

    it('lets a guest that obeys have a download', async () => {
      const all = await whole();
      await all.guest.dhcp();
      expect(await download(all, INTERNET)).to.equal(SIZE);
    });

    for (const [title, given, mtu] of [
      ['that ignores what it is told', whole, 1400],
      ['on a bridge of 1,500 bytes', larger, 1500],
    ] as const)
      it(`lets a guest ${title} have a download, in both families`, async () => {
        const all = await given();
        const { one, guest } = all;
        expect(await mtuOf(one, 'br116')).to.equal(mtu);
        await guest.sh('ip address flush dev eth0 scope global; ip link set eth0 mtu 1500');
        await guest.sh('sysctl -qw net.ipv6.conf.eth0.accept_ra=0 net.ipv6.conf.eth0.mtu=1500');
        for (const { mine, internet, family } of FAMILIES) {
          await guest.static(mine, gatewayFor(mine, one.host));
          expect(await download(all, internet), `IPv${family}`).to.equal(SIZE);
        }
        expect(await hnet(one, 'check')).to.include({ code: 0 });
      });
  });
}

kernelSuite('the MTU of a bridge', (_, share) => {
  const whole = share(async (scene: NewScene) => {
    const one = await scene({ pools: POOLS6, config: CONFIG('iptables') });
    return { one, guest: await running(one) };
  });

  it('stays where a port that takes less is plugged in, also the usual one', async () => {
    const { one } = await whole();
    await one.host.sh('ip link add small type dummy || ip link add small type veth peer name small1');
    await one.host.sh('ip link set small mtu 1300 master br116');
    expect(await mtuOf(one, 'br116')).to.equal(1500);
    await one.host.sh('ip link del small');
  });

  it('is repaired where somebody changes it, by sync and by the service', async () => {
    const { one } = await whole();
    await one.host.sh('ip link set br116 mtu 1300');
    const { code, stdout } = await hnet(one, 'check');
    expect({ code, stdout }).to.include({ code: 3 });
    expect(stdout).to.match(/bridge br116.*MTU is 1300, not 1500/);
    expect(await ok(one, 'sync')).to.satisfy((lines: string[]) =>
      lines.some(line => /bridge br116/.test(line)),
    );
    expect(await mtuOf(one, 'br116')).to.equal(1500);
    const watch = one.host.start([...NODE, COMMAND, 'watch']);
    await one.host.sh('ip link set br116 mtu 1300');
    await until(async () => (await mtuOf(one, 'br116')) === 1500, PATIENCE, 'a repair');
    await watch.stop();
  });

  it('follows the uplink, with the port and the clamp, and a route that takes less', async () => {
    const { one } = await whole();
    const seen = async () => ({
      mtus: [await mtuOf(one, 'br116'), await mtuOf(one, 'mine')],
      clamps: await clamps(one),
      check: (await hnet(one, 'check')).code,
    });
    expect(await seen()).to.deep.equal({ mtus: [1500, 1500], clamps: 0, check: 0 });
    await one.host.sh('ip link set mine mtu 1400; ip link set eth0 mtu 1400');
    await ok(one, 'sync');
    expect(await seen()).to.deep.equal({ mtus: [1400, 1400], clamps: 4, check: 0 });
    await one.host.sh('ip link set eth0 mtu 1500');
    await ok(one, 'sync');
    expect(await seen()).to.deep.equal({ mtus: [1500, 1500], clamps: 0, check: 0 });
    await one.host.sh('ip -6 route change default via fe80::1 dev eth0 mtu 1300');
    await ok(one, 'sync');
    expect(await seen()).to.deep.equal({ mtus: [1300, 1500], clamps: 4, check: 0 });
    await one.host.sh('ip -6 route change default via fe80::1 dev eth0');
    await ok(one, 'sync');
    expect(await seen()).to.deep.equal({ mtus: [1500, 1500], clamps: 0, check: 0 });
  });
});
