import { expect } from 'chai';
import { Lab } from '../lab/lab.ts';
import { ensureBuilt } from '../support/build.ts';
import { Clustered } from '../support/clustered.ts';
import { uuidOf } from '../support/domain.ts';

describe('claims in a cluster', () => {
  let lab: Lab;
  let cluster: Clustered;

  before(async () => {
    await ensureBuilt();
    lab = await Lab.create();
    cluster = await Clustered.create(lab);
    for (const { scene } of cluster.members) await scene.base();
    await cluster.member(1).libvirt.define('vm1', 'vm2');
    await cluster.member(2).libvirt.define('vm3', 'vm4');
  });
  after(async () => {
    await cluster?.remove();
    lab?.remove();
  });

  it('a host that has not joined gives no address away', async () => {
    const { code, stderr } = await cluster.member(1).assign('vm1');
    expect(code).to.equal(1);
    expect(stderr).to.contain(
      'This host hasn\'t joined the cluster "fra" of hnet.toml; hnet cluster join does it',
    );
    await cluster.join();
  });

  it('each host gives what no other has', async () => {
    const [h1, h2] = [cluster.member(1), cluster.member(2)];
    expect((await h1.assign('vm1', '123.45.90.116')).code).to.equal(0);
    const taken = await h2.assign('vm3', '123.45.90.116');
    expect(taken.code).to.equal(1);
    expect(taken.stderr).to.contain(
      'Cannot assign 123.45.90.116: domain "vm1" on h1 holds it; hnet unassign releases it; the nearest free one is',
    );
    expect((await h2.assign('vm3')).stdout).to.contain('123.45.90.112');
    expect(await cluster.value('claims/ip-123.45.90.116-32')).to.contain(uuidOf('vm1'));
  });
});
