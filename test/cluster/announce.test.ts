import { expect } from 'chai';
import type { Vm } from '../lab/vm.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { ClusterStage } from './stage.ts';

const [IPV4, IPV6] = ['123.45.90.116', '2001:db8:12:4900::116'];

async function startedVm(stage: ClusterStage): Promise<Vm> {
  const h1 = stage.host(1);
  const append = `addr=${IPV4} gw=${h1.address} addr6=${IPV6}`;
  const vm = await stage.cluster.vm(h1, { name: 'vm1', nic: { type: 'network', source: 'default' }, append });
  await stage.ok(h1, 'assign', 'vm1', IPV4, IPV6);
  await vm.start();
  await vm.ready();
  return vm;
}

const answers = async (stage: ClusterStage): Promise<void> => {
  for (const address of [IPV4, IPV6])
    await until(() => stage.lab.internet.ping(address), PATIENCE, `an answer of ${address}`);
};

describe('uplinks on one layer 2', () => {
  const stage = new ClusterStage({ hosts: 2, announce: 'on-link' });

  it('have the gateway look for an address, and find it where its VM runs', async () => {
    const vm = await startedVm(stage);
    await answers(stage);
    const neighbours = () => stage.lab.gateway.run(['ip', 'neigh', 'show', IPV4]);
    expect(await neighbours()).to.include(stage.host(1).site.mac);
    await stage.cluster.migrate(vm, stage.host(2));
    await answers(stage);
    expect(await neighbours()).to.include(stage.host(2).site.mac);
  });
});

describe("a provider's API", () => {
  const stage = new ClusterStage({ hosts: 2, announce: 'command' });

  it('routes a pool to the host that asks for it', async () => {
    const vm = await startedVm(stage);
    await answers(stage);
    await stage.cluster.migrate(vm, stage.host(2));
    const { failover } = stage.cluster;
    failover.refuse = 1;
    const ask = (address: string) => stage.host(2).attempt(['/usr/local/sbin/move-address', address, 'h2']);
    expect((await ask(IPV4)).stderr).to.include('503');
    for (const address of [IPV4, IPV6]) expect((await ask(address)).code).to.equal(0);
    await answers(stage);
    expect(failover.calls).to.deep.equal([IPV4, IPV4, IPV6].map(address => ({ address, host: 'h2' })));
    expect(await stage.lab.gateway.run(['ip', 'route', 'get', IPV4])).to.include(' dev h2 ');
  });
});
