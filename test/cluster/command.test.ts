import { expect } from 'chai';
import type { Hypervisor } from '../lab/hypervisor.ts';
import type { Vm } from '../lab/vm.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { expectFewLost, expectGone, expectGood } from './seen.ts';
import { ClusterStage } from './stage.ts';
import { followMoves, lostDuring, NIC } from './travel.ts';

const [SUBNET, SUBNET6] = ['123.45.90.112/29', '2001:db8:12:4900::/56'];
const ADDRESSES = ['123.45.90.116', '123.45.90.117', '2001:db8:12:4900::116'] as const;
/** Pings whose packets are counted. */
const COUNTED = 50;
/** So many may be counted twice in a move: those that come until the old host has read its counters. */
const TWICE = 40;

/** The provider routes a pool to another host only when it is asked, and takes its time. */
describe('a VM that moves where the provider is told by a command', () => {
  const stage = new ClusterStage({ hosts: 2, etcds: 1, announce: 'command' });
  let vm: Vm;

  before(async () => {
    const h1 = stage.host(1);
    const append = `addr=${ADDRESSES[0]} gw=${h1.address} addr6=${ADDRESSES[2]}`;
    vm = await stage.cluster.vm(h1, { name: 'vm1', nic: NIC, append });
    await stage.ok(h1, 'assign', 'vm1', ...ADDRESSES);
    await vm.start();
    await followMoves(stage.cluster);
    await vm.ready();
    await vm.sh(`ip addr add ${ADDRESSES[1]}/32 dev eth0`);
    for (const address of ADDRESSES)
      await until(() => stage.lab.internet.ping(address), PATIENCE, `an answer of ${address}`);
    await until(() => isClean(h1), PATIENCE, 'the provider to be told where it is first');
  });

  const isClean = async (host: Hypervisor): Promise<boolean> => (await stage.hnet(host, 'check')).code === 0;
  const ways = () => ADDRESSES.map(address => ({ machine: stage.lab.internet, address }));

  /** What status says beside its table. */
  const warned = async (host: Hypervisor): Promise<string> => (await stage.hnet(host, 'status')).stderr;

  interface Counted {
    readonly in: number;
    readonly out: number;
  }

  /** The packets of an address that a host has counted in all: what is gone from a host is in its months alone. */
  async function counted(host: Hypervisor, address: string): Promise<Counted> {
    const { months } = JSON.parse(await stage.ok(host, 'traffic', '--by', 'month', '--json')) as {
      months: { address: string; traffic: { in: { packets: number }; out: { packets: number } } }[];
    };
    const own = months.filter(one => one.address === address);
    const sum = (way: 'in' | 'out') => own.reduce((all, one) => all + Number(one.traffic[way].packets), 0);
    return { in: sum('in'), out: sum('out') };
  }

  /** How many more went in than came out of an address, on both hosts together: what was lost, or was counted twice. */
  const surplus = async (address: string): Promise<number> => {
    const each = await Promise.all(stage.cluster.hosts.map(host => counted(host, address)));
    return each.reduce((sum, one) => sum + one.in - one.out, 0);
  };

  async function move(from: Hypervisor, to: Hypervisor): Promise<void> {
    const { failover } = stage.cluster;
    failover.calls.length = 0;
    failover.refuse = 1;
    let answer = (): void => undefined;
    failover.hold = new Promise<void>(resolve => {
      answer = resolve;
    });
    const before = await Promise.all(ADDRESSES.map(surplus));
    const losses = await lostDuring(ways(), () => stage.cluster.migrate(vm, to));
    expectFewLost(losses, `to ${to.name}, by ${from.name}`);
    for (const [index, { address, lost }] of losses.entries()) {
      const twice = (await surplus(address)) - (before[index] ?? 0) - lost;
      console.log(`      ${address}: ${twice} packets of the move were counted twice`);
      expect(twice, `packets to ${address} that were counted twice`).to.be.at.most(TWICE);
    }
    await until(() => failover.calls.length === 3, PATIENCE, 'each pool to be told, and one of them twice');
    expect(failover.calls.map(({ host }) => host)).to.deep.equal([to.name, to.name, to.name]);
    expect(new Set(failover.calls.map(({ address }) => address))).to.deep.equal(new Set([SUBNET, SUBNET6]));

    const { code, stdout } = await stage.hnet(to, 'check');
    expect(code).to.equal(3);
    for (const pool of [SUBNET, SUBNET6])
      expect(stdout).to.include(`the outside has not followed ${pool} yet`);
    expect(await warned(to)).to.include('the outside has not followed');
    await expectGone(from, [await to.virsh('domuuid', 'vm1'), ...ADDRESSES, 'br116']);

    for (const address of ADDRESSES) {
      const [there, here] = [await counted(to, address), await counted(from, address)];
      await stage.lab.internet.run(['ping', '-n', '-q', '-c', String(COUNTED), '-i', '0.01', address]);
      const after = await counted(to, address);
      expect({ in: after.in - there.in, out: after.out - there.out }, address).to.deep.equal({
        in: COUNTED,
        out: COUNTED,
      });
      expect(await counted(from, address), `${address} by ${from.name}`).to.deep.equal(here);
    }
    const route = () => stage.lab.gateway.run(['ip', 'route', 'get', ADDRESSES[0]]);
    expect(await route()).to.include(` dev ${from.name} `);
    const further = await lostDuring(ways(), async () => {
      answer();
      await until(() => isClean(to), PATIENCE, 'the outside to follow');
      expect(await route()).to.include(` dev ${to.name} `);
    });
    expectFewLost(further, `while the outside follows to ${to.name}`);
    expect(await warned(to)).not.to.include('has not followed');
    expect(failover.calls).to.have.length(3);
    await expectGood(stage);
  }

  it('is passed on by the old host until the command has succeeded, and counted once, there and back', async () => {
    await move(stage.host(1), stage.host(2));
    await move(stage.host(2), stage.host(1));
  });
});
