import { expect } from 'chai';
import { INTERNET } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { changes, type Snapshot, snapshot } from './snapshot.ts';
import { Stage } from './stage.ts';

const ADDRESS = '123.45.90.116';

/** Every way in which a domain ends, and what happens around it, with one real VM. */
describe("a domain's life", () => {
  const stage = new Stage();
  let vm: Awaited<ReturnType<Stage['hv']['vm']>>;
  let base: Snapshot;

  before(async () => {
    const append = `addr=${ADDRESS} gw=${stage.hv.address}`;
    vm = await stage.hv.vm({ name: 'vm1', nic: { type: 'bridge', source: 'br116' }, append });
    await stage.ok('assign', 'vm1', ADDRESS);
    base = await snapshot(stage.hv);
  });

  const start = async () => {
    await vm.start();
    await vm.ready();
  };
  const ended = () =>
    until(async () => (await stage.hv.virsh('domstate', 'vm1')) === 'shut off', PATIENCE, 'the end');

  it('leaves nothing when the VM powers itself off', async () => {
    await start();
    expect(await stage.lab.internet.ping(ADDRESS)).to.equal(true);
    await vm.sh('(usleep 200000; poweroff -f) >/dev/null 2>&1 &');
    await ended();
    expect(await changes(stage.hv, base)).to.deep.equal([]);
  });

  it('leaves nothing when QEMU is killed', async () => {
    await vm.start();
    await stage.hv.sh('kill -9 $(pgrep -f qemu-system)');
    await ended();
    expect(await changes(stage.hv, base)).to.deep.equal([]);
  });

  it('leaves nothing when the VM is saved, and has its address again when it is restored', async () => {
    await start();
    await stage.hv.virsh('managedsave', 'vm1');
    expect(await changes(stage.hv, base)).to.deep.equal([]);
    await stage.hv.virsh('start', 'vm1');
    expect(await stage.web(ADDRESS)).to.equal('a guest of hnet');
  });

  it('survives a restart of libvirtd', async () => {
    const running = await snapshot(stage.hv);
    await restartDaemon();
    expect(await changes(stage.hv, running)).to.deep.equal([]);
    expect(await stage.hv.virsh('domstate', 'vm1')).to.equal('running');
    expect(await stage.lab.internet.ping(ADDRESS)).to.equal(true);
    expect(await stage.ok('status')).to.match(/ok$/m);
  });

  it('is repaired at a restart of libvirtd, its bridge, route and DHCP server included', async () => {
    await stage.hv.sh(
      'ip link del br116; ip route del blackhole 123.45.53.11; iptables -t mangle -F hnet-forward',
    );
    expect(await stage.lab.internet.ping(ADDRESS)).to.equal(false);
    await restartDaemon();
    await until(() => stage.lab.internet.ping(ADDRESS), PATIENCE, 'the VM to be reached again');
    expect(await stage.ok('status')).to.match(/ok$/m);
    expect(await stage.hv.virsh('domstate', 'vm1')).to.equal('running');
    expect(await stage.hv.run(['ip', 'route', 'show', '123.45.53.11'])).to.include('blackhole');
  });

  it('is at fault while its interface is detached, which assign puts back as it was', async () => {
    const interfaces = async () => (await stage.xml('vm1')).match(/<interface[\s\S]*?<\/interface>/g) ?? [];
    const macOf = (nic = '') => /mac address='(\S+)'/.exec(nic)?.[1];
    const mac = macOf((await interfaces())[0]);
    await stage.hv.virsh('detach-interface', 'vm1', 'bridge', '--live');
    await until(
      async () => (await interfaces()).length === 0,
      PATIENCE,
      'the guest to let go of its interface',
    );
    expect(await stage.lab.internet.ping(ADDRESS)).to.equal(false);
    const { code, stdout } = await stage.hnet('check');
    expect(code).to.equal(3);
    expect(stdout).to.match(/^vm1 .* none of its interfaces is on br116; hnet assign puts it back$/m);
    expect(await stage.ok('status', 'vm1')).to.include('none of its interfaces is on br116');
    await stage.ok('assign', 'vm1');
    expect((await interfaces()).map(macOf)).to.deep.equal([mac]);
    expect(await stage.hv.run(['ip', '-br', 'link', 'show', 'master', 'br116'])).to.match(/^vnet\d+ /);
    expect(await stage.ok('check')).to.equal('Everything is as it should be');
  });

  it('is down after a destroy that follows all this', async () => {
    await vm.destroy();
    expect(await changes(stage.hv, base)).to.deep.equal([]);
  });

  it('ends with its daemon away, and is cleaned up when the daemon returns', async () => {
    await vm.start();
    await stage.hv.sh('systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd');
    await stage.hv.sh('kill -9 $(pgrep -f qemu-system)');
    await stage.hv.sh('systemctl start libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd');
    await ended();
    expect(await changes(stage.hv, base)).to.deep.equal([]);
  });

  it('comes up by itself after a reboot of the host, everything of it', async () => {
    await stage.hv.virsh('autostart', 'vm1');
    await vm.start();
    await vm.forget();
    await stage.hv.reboot();
    expect(await vm.ready()).to.equal(`static ${ADDRESS}`);
    expect(await stage.lab.internet.ping(ADDRESS)).to.equal(true);
    expect(await vm.ping(INTERNET)).to.equal(true);
    expect(await stage.hv.run(['systemctl', 'is-active', 'hnet-base.service'])).to.equal('active');
    expect(await stage.ok('status')).to.match(/ok$/m);
    await vm.destroy();
    expect(await changes(stage.hv, base)).to.deep.equal([]);
  });

  it('comes up after a power failure too, whatever had been written', async () => {
    await vm.start();
    await vm.forget();
    await stage.hv.crash();
    await stage.hv.powerOn();
    expect(await vm.ready()).to.equal(`static ${ADDRESS}`);
    expect(await stage.lab.internet.ping(ADDRESS)).to.equal(true);
    await vm.destroy();
    expect(await changes(stage.hv, base)).to.deep.equal([]);
  });

  async function restartDaemon(): Promise<void> {
    await stage.hv.run(['systemctl', 'restart', 'libvirtd']);
    const state = async () => (await stage.hv.attempt(['virsh', '-q', 'domstate', 'vm1'])).stdout;
    await until(async () => (await state()) === 'running', PATIENCE, 'libvirtd to know its domain');
    await until(async () => (await stage.journal()).includes('reconnect "vm1"'), PATIENCE, 'the reconnect');
  }
});
