import { expect } from 'chai';
import { INTERNET, INTERNET6 } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { ClusterStage } from './stage.ts';

const [IPV4, IPV6] = ['123.45.90.116', '2001:db8:12:4900::116'];

/** libvirt moves the VM, BIRD carries the routes that hnet makes on both hosts. */
describe('a VM that moves', () => {
  const stage = new ClusterStage({ hosts: 2 });

  it('keeps its addresses, and is reached from the Internet', async () => {
    const { cluster, lab } = stage;
    const [h1, h2] = [stage.host(1), stage.host(2)];
    const append = `addr=${IPV4} gw=${h1.address} addr6=${IPV6}`;
    const vm = await cluster.vm(h1, { name: 'vm1', nic: { type: 'network', source: 'default' }, append });
    await stage.ok(h1, 'assign', 'vm1', IPV4, IPV6);
    await vm.start();
    await vm.ready();
    for (const address of [IPV4, IPV6]) expect(await lab.internet.ping(address)).to.equal(true);
    const { downtime } = await cluster.migrate(vm, h2);
    expect(downtime).to.be.greaterThan(0);
    for (const address of [IPV4, IPV6])
      await until(() => lab.internet.ping(address), PATIENCE, `an answer of ${address} on h2`);
    for (const address of [INTERNET, INTERNET6]) expect(await vm.ping(address)).to.equal(true);
    expect(await h1.virsh('list', '--all', '--name')).to.equal('');
    expect(await h2.virsh('list', '--name')).to.equal('vm1');
  });
});
