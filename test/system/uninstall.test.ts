import { expect } from 'chai';
import { files } from './files.ts';
import { changes, difference, type Snapshot, snapshot } from './snapshot.ts';
import { INSTALL, Stage } from './stage.ts';

const DIRECTORIES = ['/etc', '/usr', '/var/lib'];

/** Everything that an installation and its use made goes, and nothing else. */
describe('install.sh --uninstall', () => {
  const stage = new Stage({ installed: false });
  let base: Snapshot;
  let filesBefore: string[];
  let vm: Awaited<ReturnType<Stage['hv']['vm']>>;

  before(async () => {
    vm = await stage.hv.vm({ name: 'vm1', nic: { type: 'bridge', source: 'br116' } });
    // Somebody else's rules, routes and sets, which must survive all of it in their order.
    await stage.hv.sh(`
      iptables -A FORWARD -s 203.0.113.0/24 -j REJECT
      iptables -A INPUT -p tcp --dport 25 -j DROP
      iptables -t nat -N CANARY
      iptables -t nat -A POSTROUTING -s 203.0.113.0/24 -j MASQUERADE
      ip route add blackhole 203.0.113.0/24 proto 99
      ipset create canary hash:ip
      ipset add canary 203.0.113.1`);
    await stage.withoutEsbuild();
    base = await snapshot(stage.hv);
    filesBefore = await files(stage.hv, DIRECTORIES);
    await stage.install();
    await stage.ok('assign', 'vm1', '123.45.90.116');
  });

  it('refuses while a domain of ours runs, and changes nothing', async () => {
    await vm.start();
    // Until then the service has looked at what the start did, too.
    await vm.ready();
    const running = await snapshot(stage.hv);
    const { code, stderr } = await stage.hv.attempt([INSTALL, '--uninstall']);
    expect({ code, stderr }).to.deep.equal({
      code: 1,
      stderr: 'hnet: Cannot uninstall while domains use hnet: stop them first (hnet status shows them)',
    });
    expect(await changes(stage.hv, running)).to.deep.equal([]);
    expect(await stage.ok('status')).to.match(/ok$/m);
    await vm.destroy();
  });

  it('leaves network, processes and files as they were; configuration and leases stay', async () => {
    const said = await stage.hv.run([INSTALL, '--uninstall']);
    expect(said).to.equal('hnet: removed');
    expect(await changes(stage.hv, base)).to.deep.equal([]);
    const left = difference(filesBefore, await files(stage.hv, DIRECTORIES));
    const paths = left.map(line => line.replace(/^(.) \S+ \S+ \S+ (\S+).*$/, '$1 $2'));
    expect(paths).to.include.members(['+ /etc/hnet/hnet.toml', '+ /var/lib/hnet/leases/br116.leases']);
    expect(paths.filter(path => !/^\+ \/(etc|var\/lib)\/hnet(\/|$)/.test(path))).to.deep.equal([]);
  });

  it('can be repeated, and takes the rest with --purge', async () => {
    expect(await stage.hv.run([INSTALL, '--uninstall', '--purge'])).to.equal('hnet: removed');
    expect(await changes(stage.hv, base)).to.deep.equal([]);
    expect(difference(filesBefore, await files(stage.hv, DIRECTORIES))).to.deep.equal([]);
    expect((await stage.hv.attempt(['test', '-e', '/run/hnet'])).code).to.equal(1);
  });

  it('lets the domain that was ours start as any other, and be told of the missing bridge by libvirt', async () => {
    const { code, stderr } = await stage.hv.attempt(['virsh', 'start', 'vm1']);
    expect(code).to.equal(1);
    expect(stderr).to.include('br116').and.not.include('hnet:');
  });

  it('takes all away at once when it was installed anew', async () => {
    await stage.install();
    await stage.hv.run([INSTALL, '--uninstall', '--purge']);
    expect(await changes(stage.hv, base)).to.deep.equal([]);
    expect(difference(filesBefore, await files(stage.hv, DIRECTORIES))).to.deep.equal([]);
  });

  it('removes the base also where the configuration is broken, or gone', async () => {
    await stage.install();
    await stage.hv.write('/etc/hnet/hnet.toml', 'pools = [');
    await stage.hv.run([INSTALL, '--uninstall']);
    expect(await changes(stage.hv, base)).to.deep.equal([]);
    await stage.hv.run(['rm', '-r', '/etc/hnet']);
    await stage.install();
    await stage.hv.run(['rm', '-r', '/etc/hnet']);
    await stage.hv.run([INSTALL, '--uninstall', '--purge']);
    expect(await changes(stage.hv, base)).to.deep.equal([]);
  });
});

describe("somebody else's hook", () => {
  const stage = new Stage({ installed: false });
  const FOREIGN = '#!/bin/sh\n# not yours\necho "$1 $2" >>/root/foreign.log\n';
  let filesBefore: string[];

  before(async () => {
    await stage.withoutEsbuild();
    await stage.hv.write('/etc/libvirt/hooks/qemu', FOREIGN);
    await stage.hv.sh('chmod 700 /etc/libvirt/hooks/qemu; systemctl reload libvirtd');
    filesBefore = await files(stage.hv, ['/etc/libvirt/hooks']);
  });

  it('stays byte for byte, and ours goes beside it', async () => {
    await stage.install();
    expect(`${await stage.hv.read('/etc/libvirt/hooks/qemu')}\n`).to.equal(FOREIGN);
    const now = difference(filesBefore, await files(stage.hv, ['/etc/libvirt/hooks']));
    expect(now).to.have.length(2);
    expect(now.every(line => line.includes('/qemu.d'))).to.equal(true);
  });

  it('runs, and so does ours', async () => {
    const vm = await stage.hv.vm({ name: 'vm1', nic: { type: 'bridge', source: 'br116' }, boots: false });
    await stage.ok('assign', 'vm1', '123.45.90.116');
    await vm.start();
    const guest = await stage.hv.guest({ name: 'client', bridge: 'br116' });
    expect((await guest.dhcp()).ip).to.match(/^172\.30\.116\./);
    await guest.unplug();
    expect(await stage.hv.read('/root/foreign.log')).to.include('vm1 prepare');
    await vm.destroy();
  });

  it('is all that is left after an uninstallation', async () => {
    await stage.hv.run([INSTALL, '--uninstall', '--purge']);
    expect(difference(filesBefore, await files(stage.hv, ['/etc/libvirt/hooks']))).to.deep.equal([]);
  });
});
