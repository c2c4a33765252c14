import { expect } from 'chai';
import { INTERNET } from '../lab/site.ts';
import { files } from './files.ts';
import { changes, difference, type Snapshot, snapshot } from './snapshot.ts';
import { INSTALL, Stage } from './stage.ts';

const IP = '123.45.90.116';
const DIRECTORIES = ['/etc', '/usr', '/var/lib'];

/** The newest release, with its own tools and libvirt, on whatever the tests run. `test/run --release` has all stages on it. */
describe('Debian 13', () => {
  const stage = new Stage({ installed: false, release: 13 });
  let base: Snapshot;
  let filesBefore: string[];

  before(async () => {
    await stage.withoutEsbuild();
    base = await snapshot(stage.hv);
    filesBefore = await files(stage.hv, DIRECTORIES);
  });

  it('is what the hypervisor runs, with the node of its own', async () => {
    expect(await stage.hv.read('/etc/debian_version')).to.match(/^13\./);
    expect(await stage.install()).to.match(/to run on \/usr\/bin\/node$/m);
    expect(await stage.ok('doctor')).to.equal('This host is fit');
    await stage.withoutServices();
  });

  for (const [backend, append] of [
    ['iptables', 'mode=dhcp'],
    ['nftables', `addr=${IP} gw=123.45.12.48`],
  ] as const)
    it(`does the main job with ${backend}`, async () => {
      await stage.hv.sh(`sed -i 's/^backend = .*/backend = "${backend}"/' /etc/hnet/hnet.toml; hnet sync`);
      const mode = backend === 'iptables' ? 'public' : 'bootstrap';
      await stage.hv.sh(`sed -i 's/^mode = .*/mode = "${mode}"/' /etc/hnet/hnet.toml`);
      const installed = await snapshot(stage.hv);
      const vm = await stage.hv.vm({ name: backend, nic: { type: 'network', source: 'default' }, append });
      await stage.ok('assign', backend, IP);
      await vm.start();
      expect(await vm.ready()).to.match(/^(dhcp|static) 123\.45\.90\.116$/);
      expect(await stage.web(IP)).to.equal('a guest of hnet');
      expect(await vm.ping(INTERNET)).to.equal(true);
      expect(await stage.ok('status', backend)).to.match(/ok$/m);
      expect(await stage.ok('check')).to.equal('Everything is as it should be');
      await vm.destroy();
      await stage.hv.virsh('undefine', backend);
      expect(await changes(stage.hv, installed)).to.deep.equal([]);
    });

  it('is left as it was by an uninstallation', async () => {
    await stage.hv.run([INSTALL, '--uninstall', '--purge']);
    expect(await changes(stage.hv, base)).to.deep.equal([]);
    expect(difference(filesBefore, await files(stage.hv, DIRECTORIES))).to.deep.equal([]);
  });
});
