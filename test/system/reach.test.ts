import { expect } from 'chai';
import type { Finding } from '../../src/doctor/reach/facts.ts';
import type { Vm } from '../lab/vm.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { Stage } from './stage.ts';

const MINE = '123.45.90.116';
const MAC = '52:54:00:aa:00:01';
const VM1 = { name: 'vm1', mac: MAC, nic: { type: 'bridge', source: 'br116' } } as const;

/** What is done to a VM, and what is found then; what is printed beside it makes the VM reachable again. */
const TROUBLES: Readonly<Record<string, readonly [string, string, RegExp]>> = {
  'a link that is set down': [
    `virsh domif-setlink vm1 ${MAC} down`,
    'link down',
    /its interface 52:54:00:aa:00:01/,
  ],
  'a VM that is paused': ['virsh suspend vm1', 'not running', /paused/],
  'a tap that was pulled out of its bridge': [
    'ip link set "$(virsh -q domiflist vm1 | cut -d" " -f2)" nomaster',
    'port',
    /is in no bridge and not in br116/,
  ],
  'a route that is gone': [`ip route del ${MINE} dev br116`, 'route', /route 123\.45\.90\.116/],
  'a VM that is off': ['virsh destroy vm1', 'not running', /shut off/],
};

/** Most troubles are seeded in test/kernel/reach.test.ts; here are those that libvirt and a real VM make. */
describe('hnet doctor DOMAIN', () => {
  const stage = new Stage();
  let vm: Vm;

  before(async () => {
    vm = await stage.hv.vm({ ...VM1, append: `addr=${MINE} gw=${stage.hv.address}` });
  });

  async function find(): Promise<Finding | null> {
    const { code, stdout, stderr } = await stage.hnet('doctor', 'vm1', '--json');
    if (stdout === '') throw new Error(stderr);
    const { finding } = JSON.parse(stdout) as { finding: Finding | null };
    expect(code, stdout).to.equal(finding === null ? 0 : 3);
    return finding;
  }

  /** A VM that boots, or whose link came up just now, needs a while. */
  const isReached = () => until(() => stage.lab.internet.ping(MINE), PATIENCE, `an answer of ${MINE}`);

  it('names a VM that has no address, and gives it one', async () => {
    const finding = await find();
    expect(finding).to.include({ cause: 'unassigned', mend: "hnet assign 'vm1'" });
    await stage.ok('assign', 'vm1', MINE);
    await vm.start();
    await vm.ready();
  });

  it('finds nothing on a VM that is reached', async () => {
    await isReached();
    expect(await find()).to.equal(null);
  });

  for (const [what, [harm, cause, saw]] of Object.entries(TROUBLES))
    it(`names ${what}, and what it says to do makes the VM reachable`, async () => {
      await stage.hv.sh(harm);
      const finding = await find();
      expect(finding).to.include({ cause });
      expect(finding?.saw).to.match(saw);
      await stage.hv.sh(finding?.mend ?? '');
      await isReached();
      expect(await find()).to.equal(null);
    });

  it('names an interface that was taken out, and what it says to do plugs one in again', async () => {
    await stage.hv.run(['virsh', 'detach-interface', 'vm1', 'bridge', '--mac', MAC, '--live']);
    const gone = async () => (await stage.hv.virsh('domiflist', 'vm1')).trim() === '';
    await until(gone, PATIENCE, 'the guest to let its interface go');
    const finding = await find();
    expect(finding).to.include({ cause: 'interface', address: MINE, mend: `hnet assign 'vm1' ${MINE}` });
    await stage.hv.sh(finding?.mend ?? '');
    expect(await stage.hv.virsh('domiflist', 'vm1')).to.match(/ bridge +br116 /);
    // The guest knows nothing of a new interface.
    expect((await find())?.cause).not.to.equal('interface');
  });
});
