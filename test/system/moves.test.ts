import { expect } from 'chai';
import { expectFewLost, expectGood } from '../cluster/seen.ts';
import { ClusterStage } from '../cluster/stage.ts';
import { defineTraveller, followMoves, lostDuring, neighbour, TRAVELS, type Way } from '../cluster/travel.ts';
import type { Guest } from '../lab/guest.ts';
import type { Hypervisor } from '../lab/hypervisor.ts';
import { INTERNET } from '../lab/site.ts';
import { ECHO, Stream } from '../lab/stream.ts';
import type { Vm } from '../lab/vm.ts';
import { PATIENCE, until } from '../lab/wait.ts';

const { 4: IPV4, 6: IPV6 } = TRAVELS;
/** Of a service on the Internet that the VM calls. */
const PORT = 5000;

describe('a VM that libvirt moves to another host', () => {
  const stage = new ClusterStage({ hosts: 2, etcds: 1 });
  let vm: Vm;
  const guests: Guest[] = [];

  before(async () => {
    const { cluster } = stage;
    const [h1, h2] = [stage.host(1), stage.host(2)];
    for (const host of [h1, h2]) await stage.ok(host, 'cluster', 'join');
    vm = await defineTraveller(cluster, stage.ok);
    for (const rule of ['default deny', 'allow icmp', 'allow tcp/7'])
      await stage.ok(h1, 'firewall', 'vm1', ...rule.split(' '));
    await vm.start();
    guests.push(
      await neighbour(cluster, h1, { name: 'vm2', addresses: ['123.45.90.117'] }, stage.ok),
      await neighbour(cluster, h2, { name: 'vm3', addresses: ['123.45.90.118'] }, stage.ok),
    );
    await followMoves(cluster);
    await vm.ready();
    await vm.sh(ECHO);
  });

  /** The Internet pings it in both families. */
  const ways = (): Way[] => [
    { machine: stage.lab.internet, address: IPV4 },
    { machine: stage.lab.internet, address: IPV6 },
    ...guests.map(machine => ({ machine, address: IPV4 })),
  ];

  const metrics = async (host: Hypervisor): Promise<number[]> => {
    const said = await host.sh(
      `ip -json route show ${IPV4} proto 104; ip -json -6 route show ${IPV6} proto 104`,
    );
    return said
      .split('\n')
      .flatMap(line => (JSON.parse(line || '[]') as { metric?: number }[]).map(({ metric }) => metric ?? 0));
  };

  it('is missed by nobody, there and back: pings from everywhere, and what it and others have opened', async () => {
    const { cluster, lab } = stage;
    const [h1, h2] = [stage.host(1), stage.host(2)];
    const called = await Stream.open(lab.internet, IPV4);
    const calls = await Stream.accept(lab.internet, PORT, () =>
      vm.sh(`nc ${INTERNET} ${PORT} -e /bin/cat >/dev/null 2>&1 &`),
    );
    for (const to of [h2, h1]) {
      const losses = await lostDuring(ways(), () => cluster.migrate(vm, to));
      expectFewLost(losses, `moved to ${to.name}`);
      expect(await metrics(to)).to.deep.equal([50, 50]);
      expect(await metrics(to === h1 ? h2 : h1)).to.deep.equal([]);
      await expectGood(stage);
    }
    for (const stream of [called, calls]) {
      const { sent, returned, wrong, failure } = await stream.stop();
      expect({ returned, wrong, failure }).to.deep.equal({ returned: sent, wrong: 0, failure: null });
    }
    expect(await happened(h1)).to.deep.equal(['assign', 'start', 'leaves', 'arrives']);
    expect(await happened(h2)).to.deep.equal(['arrives', 'leaves']);
  });

  const happened = async (host: Hypervisor): Promise<string[]> => {
    const { entries } = JSON.parse(await stage.ok(host, 'history', IPV4, '--json')) as {
      entries: { is: string }[];
    };
    // The daemon's sandbox sees another boot ID than the hook, as long as both are in a container.
    return entries.map(({ is }) => is).filter(is => is !== 'runs');
  };

  it('stays where it is if the move is given up, and a repair in between leaves both hosts as they are', async () => {
    const [h1, h2] = [stage.host(1), stage.host(2)];
    await h1.virsh('migrate-setspeed', 'vm1', '2');
    const losses = await lostDuring(ways(), async () => {
      const move = stage.cluster.attemptMigrate(vm, h2);
      await until(async () => (await metrics(h2)).length === 2, PATIENCE, 'the routes in the background');
      expect(await metrics(h2)).to.deep.equal([175, 175]);
      for (const host of [h1, h2]) expect(await stage.ok(host, 'sync')).to.equal('');
      expect((await stage.hnet(h2, 'assign', 'vm1', '123.45.90.115')).stderr).to.match(
        /Cannot assign to "vm1": it runs on h1/,
      );
      expect(await metrics(h2)).to.deep.equal([175, 175]);
      await h1.virsh('domjobabort', 'vm1');
      expect((await move).code).to.equal(1);
    });
    for (const { caller, family, lost } of losses) expect(lost, `IPv${family} from ${caller}`).to.equal(0);
    await until(
      async () => (await metrics(h2)).length === 0,
      PATIENCE,
      'the end of the routes in the background',
    );
    expect(await h2.sh('ls /run/hnet/attachments /run/hnet/cluster/incoming')).not.to.include(
      await h1.virsh('domuuid', 'vm1'),
    );
    await expectGood(stage);
    await h1.virsh('migrate-setspeed', 'vm1', '8796093022207');
  });

  it('is refused before anything is copied where its bridge is taken', async () => {
    const h2 = stage.host(2);
    await h2.run(['ip', 'link', 'add', 'br116', 'type', 'bridge']);
    const { code, stderr } = await stage.cluster.attemptMigrate(vm, h2);
    expect(code).to.equal(1);
    expect(stderr).to.match(
      /hnet: Cannot take over "vm1": Cannot set up bridge br116: an interface of that name exists and isn't hnet's/,
    );
    await h2.run(['ip', 'link', 'delete', 'br116']);
    expect(await h2.virsh('list', '--all', '--name')).to.equal('vm3');
    await expectGood(stage);
    expect(await vm.ping(INTERNET)).to.equal(true);
  });
});
