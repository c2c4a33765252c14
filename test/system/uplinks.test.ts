import { expect } from 'chai';
import { Pings } from '../lab/pings.ts';
import type { Vm } from '../lab/vm.ts';
import { laySegment, SEGMENT } from '../support/segment.ts';
import { files } from './files.ts';
import { changes, difference, type Snapshot, snapshot } from './snapshot.ts';
import { Stage } from './stage.ts';

const FILE = '/etc/hnet/hnet.toml';
const MAIN = '123.45.90.116';
const NEAR = '203.0.113.5';

/** A provider that asks by ARP, and a second uplink whose subnet is the pool: the whole way, with real VMs. */
describe('a host whose addresses are on the wire', () => {
  const stage = new Stage({ installed: false, ipv4: 'on-link' });
  let base: Snapshot;
  let filesBefore: string[];
  let vms: Readonly<Record<'main' | 'near' | 'twin', Vm>>;

  before(async () => {
    await stage.withoutEsbuild();
    await laySegment({ host: stage.hv, lab: stage.lab });
    base = await snapshot(stage.hv);
    filesBefore = await files(stage.hv, ['/etc']);
    await stage.install();
  });

  it('is found to be of that kind as it is set up, and by doctor where hnet.toml says something else', async () => {
    expect(await stage.hv.run(['cat', FILE])).to.match(/^ipv4 = "on-link"/m);
    expect(await stage.hnet('doctor')).to.include({ code: 0, stdout: 'This host is fit' });
    await stage.hv.run(['sed', '-i', 's/^ipv4 = .*/ipv4 = "routed"/', FILE]);
    await stage.ok('sync');
    const { code, stdout } = await stage.hnet('doctor');
    expect(code).to.equal(3);
    expect(stdout).to.match(
      /^the gateway looks for 123\.45\.90\.118, an address of the pool .*, on the wire of eth0$/m,
    );
    expect(stdout).to.match(
      /mend {2}set ipv4 = "on-link" beside the pool in \/etc\/hnet\/hnet\.toml, then: hnet sync/,
    );
    await stage.hv.run(['sed', '-i', 's/^ipv4 = .*/ipv4 = "on-link"/', FILE]);
    await stage.ok('sync');
    expect(await stage.hnet('doctor')).to.include({ code: 0, stdout: 'This host is fit' });
  });

  it('serves a VM of each uplink, from the Internet and to it', async () => {
    await stage.hv.sh(`cat >>${FILE} <<'END'
[[uplinks]]
device = "${SEGMENT.device}"
gateway = "${SEGMENT.gateway}"
pools = ["${SEGMENT.subnet}"]
ipv4 = "on-link"
END`);
    await stage.ok('sync');
    const still = (address: string) => `addr=${address} gw=${stage.hv.address}`;
    vms = {
      main: await stage.hv.vm({ name: 'vm1', append: still(MAIN) }),
      near: await stage.hv.vm({ name: 'vm2', append: still(NEAR) }),
      twin: await stage.hv.vm({ name: 'vm3', append: still('123.45.90.118') }),
    };
    await stage.ok('assign', 'vm1', MAIN);
    for (const own of [SEGMENT.host, SEGMENT.gateway])
      expect((await stage.hnet('assign', 'vm2', own)).stderr).to.contain(
        `${own} is the host's or the gateway's own address`,
      );
    await stage.ok('assign', 'vm2', NEAR);
    await stage.ok('assign', 'vm3', '123.45.90.118');
    await Promise.all(Object.values(vms).map(vm => vm.start()));
    await Promise.all(Object.values(vms).map(vm => vm.ready()));
    for (const address of [MAIN, NEAR]) {
      expect(await stage.lab.internet.ping(address), address).to.equal(true);
      expect(await stage.web(address), address).to.equal('a guest of hnet');
    }
    expect(await stage.ok('check')).to.equal('Everything is as it should be');
    expect(await stage.ok('status')).to.match(/vm1 .* ok\n.*vm2 .* ok\n.*vm3 .* ok/);
  });

  it('moves an address between VMs, and loses no more than one ping of 10 ms', async () => {
    const moving = '123.45.90.117';
    // Both are configured for it already, and each has another address, which stays.
    for (const vm of [vms.main, vms.twin]) await vm.sh(`ip addr add ${moving}/32 dev lo`);
    await stage.ok('assign', 'vm1', moving);
    const pings = await Pings.start(stage.lab.internet, moving);
    await pings.more(20);
    for (const ends of [
      ['vm1', 'vm3'],
      ['vm3', 'vm1'],
    ])
      await stage.ok('move', moving, ...ends);
    await pings.more(20);
    const { lost, answered } = await pings.stop();
    expect(lost, `of ${answered + lost}, in two moves`).to.be.at.most(2);
    expect(await stage.ok('check')).to.equal('Everything is as it should be');
  });

  it('is left as it was by --uninstall, rules, tables and entries included', async () => {
    for (const vm of Object.values(vms)) await vm.destroy();
    expect(await stage.ok('check')).to.equal('Everything is as it should be');
    expect(await stage.hv.run(['/root/hnet/install.sh', '--uninstall', '--purge'])).to.equal('hnet: removed');
    expect(await changes(stage.hv, base)).to.deep.equal([]);
    expect(await stage.hv.run(['ip', 'neigh', 'show', 'proxy'])).to.equal('');
    expect(await stage.hv.read('/proc/sys/net/ipv4/neigh/eth0/proxy_delay')).to.equal('80');
    expect(difference(filesBefore, await files(stage.hv, ['/etc']))).to.deep.equal([]);
  });
});
