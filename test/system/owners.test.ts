import { expect } from 'chai';
import { Stage } from './stage.ts';

const IP = '123.45.90.116';

/** Metadata can come back from elsewhere: with a copy, a saved state, a snapshot. The address has one owner all the same. */
describe('an address that two domains bear in their metadata', () => {
  const stage = new Stage();

  beforeEach(async () => {
    await vm('vm1');
    await vm('vm2');
    await stage.ok('assign', 'vm1', IP);
    await stage.hv.virsh('start', 'vm1');
  });
  afterEach(() => stage.clean());

  async function vm(name: string): Promise<void> {
    await stage.hv.vm({ name, nic: { type: 'bridge', source: 'br0' }, boots: false });
  }

  /** Where route and claim lead: both to one domain, which runs, and in whose bridges alone the address is. */
  async function owner(): Promise<string> {
    const routes = (await stage.hv.run(['ip', 'route', 'show', IP])).split('\n');
    expect(routes).to.have.length(1);
    const [, bridge = ''] = / dev (\S+)/.exec(routes[0] ?? '') ?? [];
    const [, uuid = ''] = (await stage.hv.read(`/sys/class/net/${bridge}/ifalias`)).trim().split(' ');
    expect(await stage.hv.run(['readlink', `/run/hnet/claims/ip-${IP}-32`])).to.contain(uuid);
    const holders = await stage.hv.sh(`grep -l '"${IP}/32\\|"${IP}"' /run/hnet/attachments/*.json`);
    expect(holders.split('\n')).to.deep.equal([`/run/hnet/attachments/${uuid}.json`]);
    expect(await stage.hv.virsh('domstate', uuid)).to.equal('running');
    return stage.hv.virsh('domname', uuid);
  }

  /** It must not start, whichever way, and its user learns why in one line. */
  async function refused(why: RegExp, ...argv: string[]): Promise<void> {
    const { code, stderr } = await stage.hv.attempt(['virsh', '-q', ...argv]);
    expect(code).to.equal(1);
    const ours = stderr.split('\n').filter(line => line.includes('hnet:'));
    expect(ours, stderr).to.have.length(1);
    expect(ours[0]).to.match(why);
  }

  /** What virt-clone does: another name, UUID and MAC, and the same metadata. */
  const clone = (edit = ''): Promise<string> =>
    stage.hv.sh(`virsh dumpxml --inactive vm1 >/root/clone.xml
      sed -i '/<uuid>/d; /<mac address/d; s,<name>vm1,<name>clone,; s,lab-[a-z0-9-]*[.],lab-clone.,; ${edit}' /root/clone.xml
      virsh -q define /root/clone.xml`);

  const CLONE = /so this one is a clone; run hnet unassign on it/;
  const IN_USE = (name: string): RegExp => new RegExp(`${IP} is in use by domain "${name}"$`);

  it('stays with the original where one is a clone, which never starts', async () => {
    await clone();
    await refused(CLONE, 'start', 'clone');
    expect(await owner()).to.equal('vm1');
    await stage.hv.virsh('destroy', 'vm1');
    await refused(CLONE, 'start', 'clone');
    const { code, stdout } = await stage.hnet('doctor');
    expect(code).to.equal(3);
    expect(stdout).to.match(/"clone" is a clone/);
    await stage.ok('unassign', 'clone');
    await stage.hv.virsh('start', 'vm1');
    await stage.hv.virsh('start', 'clone');
    expect(await owner()).to.equal('vm1');
  });

  it('stays with the one that runs where nothing tells a clone from its original', async () => {
    await clone('s,\\(<hnet:assignment .*\\) domain=[^ >]*,\\1,');
    await refused(IN_USE('vm1'), 'start', 'clone');
    expect(await owner()).to.equal('vm1');
    await stage.hv.virsh('destroy', 'vm1');
    await stage.hv.virsh('start', 'clone');
    expect(await owner()).to.equal('clone');
    await refused(IN_USE('clone'), 'start', 'vm1');
    expect(await owner()).to.equal('clone');
  });

  it('stays with its new owner when a saved state comes back that was saved with it', async () => {
    await stage.hv.virsh('managedsave', 'vm1');
    await stage.ok('move', IP, 'vm1', 'vm2');
    await stage.hv.virsh('start', 'vm2');
    await refused(IN_USE('vm2'), 'start', 'vm1');
    expect(await owner()).to.equal('vm2');
    // The saved state is kept, and is served once nobody else has the address.
    await stage.hv.virsh('destroy', 'vm2');
    await stage.hv.virsh('start', 'vm1');
    expect(await stage.xml('vm1')).to.contain(IP);
    expect(await owner()).to.equal('vm1');
    await refused(IN_USE('vm1'), 'start', 'vm2');
    expect(await stage.ok('sync')).to.equal('');
    expect(await owner()).to.equal('vm1');
  });

  it('stays with its new owner when a snapshot brings the old assignment back', async () => {
    await stage.hv.virsh('destroy', 'vm1');
    const disk = '/var/lib/libvirt/images/vm1.qcow2';
    await stage.hv.sh(`mkdir -p /var/lib/libvirt/images; qemu-img create -q -f qcow2 ${disk} 1M
      virsh -q attach-disk vm1 ${disk} vda --driver qemu --subdriver qcow2 --config`);
    await stage.hv.virsh('start', 'vm1');
    await stage.hv.virsh('snapshot-create-as', 'vm1', 'before');
    await stage.ok('move', IP, 'vm1', 'vm2');
    await stage.hv.virsh('start', 'vm2');
    expect(await owner()).to.equal('vm2');
    await refused(IN_USE('vm2'), 'snapshot-revert', 'vm1', 'before');
    expect(await owner()).to.equal('vm2');
    await stage.hv.virsh('destroy', 'vm2');
    await stage.hv.virsh('snapshot-revert', 'vm1', 'before');
    expect(await owner()).to.equal('vm1');
    await refused(IN_USE('vm1'), 'start', 'vm2');
    expect(await stage.ok('check')).to.equal('Everything is as it should be');
    expect((await stage.hnet('doctor')).stdout).to.match(
      /"vm[12]" and "vm[12]" are both assigned 123\.45\.90\.116/,
    );
  });
});
