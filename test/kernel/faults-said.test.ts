import { expect } from 'chai';
import { PATIENCE, until } from '../lab/wait.ts';
import { COMMAND } from '../support/build.ts';
import { hnet } from '../support/command.ts';
import { uuidOf } from '../support/domain.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import { bridgeOf, POOLS6, REAL, type Scene } from '../support/scene.ts';
import { kernelSuite } from '../support/suite.ts';

const SWITCH = '/proc/sys/net/ipv4/ip_forward';
/** Whatever is written there succeeds, and changes nothing. */
const STUCK = `mount --bind /dev/null ${SWITCH}`;
const STUCK_LINE =
  'hnet: Cannot repair IPv4 forwarding (it is missing): no command failed, and it is as it was; see hnet --trace sync';

const CONFIG6 = `pools = ${JSON.stringify(POOLS6)}\n`;

kernelSuite('what is said of a repair', (_, share) => {
  let libvirt: FakeLibvirt;
  const ready = share(async scene => {
    const one = await scene({ config: CONFIG6, pools: POOLS6 });
    libvirt = await FakeLibvirt.create(one);
    await one.base();
    await one.start('vm1', '123.45.90.116');
    await libvirt.run('vm1', {
      addresses: ['123.45.90.116'],
      taps: [{ bridge: 'br116', tap: 'vm1' }],
    });
    return one;
  });
  /** Nothing is wrong when the test begins. */
  async function sound(): Promise<Scene> {
    const one = await ready();
    await hnet(one, 'sync');
    expect((await hnet(one, 'check')).stdout).to.equal('Everything is as it should be');
    return one;
  }

  it('"repaired" only where it is: what stays as it was is a failure, and the rest is repaired', async () => {
    const one = await sound();
    await one.host.sh(`${STUCK}; ip route del 123.45.90.116 dev br116`);
    const { code, stdout, stderr } = await hnet(one, 'sync');
    await one.host.sh(`umount ${SWITCH}`);
    expect({ code, stdout, stderr }).to.deep.equal({
      code: 1,
      stdout: 'repaired: vm1: route 123.45.90.116 to br116 (it was missing)',
      stderr: STUCK_LINE,
    });
  });

  it('"removed" only where it is: a route that its removal leaves there', async () => {
    const one = await sound();
    await one.host.sh('ip route add blackhole 123.45.99.0/24 proto 104');
    // It says that it did, and didn't.
    await one.replace(
      '/usr/sbin/ip',
      `case $* in *-batch*) sed '/^route delete/d' | ${REAL}/ip "$@" ;; *) exec ${REAL}/ip "$@" ;; esac`,
    );
    const { code, stdout, stderr } = await hnet(one, 'sync');
    await one.restore('/usr/sbin/ip');
    expect({ code, stdout }).to.deep.equal({ code: 1, stdout: '' });
    expect(stderr).to.match(
      /^hnet: Cannot repair blackhole 123\.45\.99\.0\/24 \(no pool of the configuration\): /,
    );
    expect((await hnet(one, 'sync')).stdout).to.equal(
      'removed: blackhole 123.45.99.0/24 (no pool of the configuration)',
    );
  });

  it('"good" only where the last look finds it: each repair breaks something else', async () => {
    const one = await sound();
    const [route, port] = ['ip route del 123.45.90.116 dev br116', 'ip link set vm1 nomaster'];
    // What puts the route back pulls the tap out, and the other way round.
    await one.replace(
      '/usr/sbin/ip',
      `case $* in *-batch*) ;; *) exec ${REAL}/ip "$@" ;; esac
      lines=$(cat); printf '%s\\n' "$lines" | ${REAL}/ip "$@"; code=$?
      case $lines in
        *'route replace 123.45.90.116'*) ${REAL}/${port} ;;
        *' vm1 '*'master br116'*) ${REAL}/${route} ;;
      esac
      exit $code`,
    );
    await one.host.sh(`${REAL}/${route}`);
    const { code, stderr } = await hnet(one, 'sync');
    await one.restore('/usr/sbin/ip');
    expect({ code, stderr }).to.deep.equal({
      code: 1,
      stderr:
        'hnet: Cannot repair "vm1": port vm1 in br116 (its bridge is none; ip link set dev vm1 master br116 up): it has come again; repeat hnet sync',
    });
  });

  it('"removed" of one damaged attachment, where another one stays', async () => {
    const one = await sound();
    const [gone, stays] = ['vm8', 'vm9'].map(uuidOf);
    const file = `/run/hnet/attachments/${stays}.json`;
    await one.host.sh(`echo damaged >/run/hnet/attachments/${gone}.json; echo damaged >${file}
      mount --bind ${file} ${file}`);
    const { code, stdout, stderr } = await hnet(one, 'sync');
    await one.host.sh(`umount ${file}`);
    expect({ code, stdout }).to.deep.equal({
      code: 1,
      stdout: `removed: attachment of ${gone} (it could not be read)`,
    });
    expect(stderr).to.contain(stays);
  });

  it('"in force" and "brought up" only where a look has seen it', async () => {
    const one = await sound();
    await one.replace(
      '/usr/sbin/ip',
      `case $* in *-batch*) sed '/^route replace 123.45.53.11/d' | ${REAL}/ip "$@" ;; *) exec ${REAL}/ip "$@" ;; esac`,
    );
    const idle = await hnet(one, 'assign', 'vm1', '123.45.53.11', '--no-nic');
    await one.restore('/usr/sbin/ip');
    expect(idle.stdout).not.to.contain('in force');
    expect(idle.stderr).to.match(
      /"vm1" runs, and not all is as it should be: route 123\.45\.53\.11 to br116: /,
    );
    await hnet(one, 'sync');
    expect((await hnet(one, 'unassign', 'vm1', '123.45.53.11')).stdout).to.contain('this is in force now');

    await one.host.sh(STUCK);
    const { stdout, stderr } = await hnet(one, 'base', 'up');
    await one.host.sh(`umount ${SWITCH}`);
    expect(stdout).not.to.contain('brought up: IPv4 forwarding');
    expect(stderr).to.contain('Cannot bring up IPv4 forwarding: no command failed, and it is missing');
  });

  it('by the daemon: what it can not repair once, while it repairs the rest', async () => {
    const one = await sound();
    await one.host.sh(STUCK);
    const daemon = one.host.start([process.execPath, COMMAND, 'watch']);
    const times = (line: RegExp): number => daemon.output.split('\n').filter(each => line.test(each)).length;
    await daemon.until(/Cannot repair/, PATIENCE);
    const routed = async () => (await one.host.run(['ip', 'route', 'show', '123.45.90.116'])) !== '';
    for (let round = 1; round <= 3; round++) {
      await one.host.sh('ip route del 123.45.90.116 dev br116');
      await until(routed, PATIENCE, `the repair number ${round}`);
    }
    await daemon.stop();
    await one.host.sh(`umount ${SWITCH}`);
    expect(times(/Cannot repair/), daemon.output).to.equal(1);
    expect(times(/^repaired: .*forwarding/), daemon.output).to.equal(0);
  });

  for (const [port, address] of [
    [67, '123.45.90.117'],
    [547, '2001:db8:12:48::117'],
  ] as const) {
    it(`that UDP port ${port} is taken, and by whom: by the start, status, check, sync and doctor`, async () => {
      const one = await sound();
      const [name, addresses] = [`vm${port}`, [address]];
      // No server of ours runs: the other one comes first.
      await one.host.sh('pkill -KILL -x dnsmasq; while pgrep -x dnsmasq; do sleep 0.01; done');
      const range = port === 67 ? '10.99.0.10,10.99.0.20' : 'fd99::10,fd99::20';
      // Without bind-interfaces it shares its port with nobody.
      const holder = one.host.start(['dnsmasq', '--no-daemon', '--port=0', `--dhcp-range=${range}`]);
      const holding = async () => /pid=(\d+)/.exec(await one.host.run(['ss', '-Hulnp', `sport = :${port}`]));
      const [, pid = ''] = await until(holding, PATIENCE, holder.output);
      await one.prepare(name, addresses);
      const guest = await one.host.guest({ name, bridge: bridgeOf(address) });
      await libvirt.run(name, { addresses, taps: [{ bridge: bridgeOf(address), tap: name }] });
      const why = `UDP port ${port} is held by "dnsmasq" (pid ${pid})`;
      expect((await hnet(one, 'status', name, '--json')).stdout).to.contain(JSON.stringify(why).slice(1, -1));
      expect(await hnet(one, 'check'))
        .to.include({ code: 3 })
        .and.to.have.property('stdout')
        .that.contains(why);
      const { code, stdout, stderr } = await hnet(one, 'sync');
      expect(code).to.equal(1);
      expect(stdout).not.to.contain(`repaired: ${name}`);
      expect(stderr)
        .to.contain(`Cannot repair ${JSON.stringify(name)}: DHCP scope`)
        .and.to.contain(why);
      const { findings: advice } = JSON.parse((await hnet(one, 'doctor', '--json')).stdout) as {
        findings: { what: string; mend: string }[];
      };
      const [found] = advice.filter(
        ({ what }) => what === `"dnsmasq" (pid ${pid}) holds UDP port ${port} on every interface`,
      );
      await one.host.sh(found?.mend ?? 'false');
      await until(() => holder.ended, PATIENCE, 'the end of the other server');
      expect((await hnet(one, 'sync')).stdout).to.match(new RegExp(`^repaired: ${name}: DHCP scope`, 'm'));
      expect((await hnet(one, 'check')).stdout).to.equal('Everything is as it should be');
      await guest.unplug();
      await one.release(name);
      await libvirt.end(name);
    });
  }
});
