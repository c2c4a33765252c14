import { expect } from 'chai';
import type { Hypervisor } from '../lab/hypervisor.ts';
import type { Outcome } from '../lab/run.ts';
import type { Vm } from '../lab/vm.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { scarsOf, traceOf } from './scar.ts';
import { ClusterStage, tableWith } from './stage.ts';
import { defineTraveller, followMoves, TRAVELS } from './travel.ts';

/** So often the two hosts start the VM at once. */
const ROUNDS = 10;

describe('a VM that is defined on two hosts', () => {
  const stage = new ClusterStage({
    hosts: 2,
    etcds: 3,
    toml: tableWith('settle = "5s"'),
  });
  let vm: Vm;
  let uuid: string;

  before(async () => {
    const { cluster } = stage;
    const [h1, h2] = [stage.host(1), stage.host(2)];
    vm = await defineTraveller(cluster, stage.ok);
    uuid = await h1.virsh('domuuid', 'vm1');
    await h2.write('/root/vm1.xml', await h1.virsh('dumpxml', 'vm1', '--inactive'));
    await h2.virsh('define', '/root/vm1.xml');
    await followMoves(cluster);
  });

  const start = (host: Hypervisor): Promise<Outcome> => host.attempt(['virsh', '-q', 'start', 'vm1']);

  const runsOn = async (): Promise<string> =>
    (await stage.cluster.etcd.ctl('get', '--print-value-only', `/hnet/lab/runs/${uuid}`)).trim();

  async function ended(): Promise<void> {
    await until(async () => (await runsOn()) === '', PATIENCE, 'the run to end');
  }

  const said = async (host: Hypervisor, ...argv: string[]): Promise<string> => {
    const { stdout, stderr } = await stage.hnet(host, ...argv);
    return stdout + stderr;
  };

  const check = (host: Hypervisor): Promise<string> => said(host, 'check');
  const isClean = async (host: Hypervisor): Promise<boolean> =>
    /^Everything is as it should be/.test(await check(host));

  it(`is started by one of them alone, ${ROUNDS} times of ${ROUNDS}`, async () => {
    const [h1, h2] = [stage.host(1), stage.host(2)];
    const areUp = async () => /h1 .*up[\s\S]*h2 .*up/.test(await said(h1, 'cluster', 'status'));
    await until(areUp, PATIENCE, 'both hosts to be up');
    for (let round = 0; round < ROUNDS; round++) {
      const outcomes = await Promise.all([start(h1), start(h2)]);
      expect(outcomes.map(({ code }) => code).toSorted(), JSON.stringify(outcomes)).to.deep.equal([0, 1]);
      const [winner, loser] = outcomes[0]?.code === 0 ? [h1, h2] : [h2, h1];
      const words = outcomes.map(({ stderr }) => stderr).join('');
      expect(words).to.contain(
        `hnet: Cannot start "vm1": it runs on ${winner.name}; virsh migrate brings it here`,
      );
      expect(
        await loser.sh(`ip route show ${TRAVELS[4]} proto 104; ls /run/hnet/attachments 2>/dev/null || true`),
      ).to.equal('');
      await winner.virsh('destroy', 'vm1');
      await ended();
    }
  });

  it('is told of where a partition is seen, on both sides, and goes on', async () => {
    const [h1, h2] = [stage.host(1), stage.host(2)];
    await vm.moved(h2);
    await vm.start();
    await vm.ready();
    for (const host of [h1, h2]) await until(() => isClean(host), PATIENCE, `${host.name} to be clean`);
    await h2.cut('wire');
    for (const host of [h1, h2]) {
      await until(
        async () => /no session with h\d/.test(await check(host)),
        PATIENCE,
        `check of ${host.name}`,
      );
    }
    expect(await check(h2)).to.match(/etcd/);
    expect(await stage.lab.internet.ping(TRAVELS[4])).to.equal(true);
    const refused = await start(h1);
    expect(refused.code).to.equal(1);
    await h2.mend('wire');
    for (const host of [h1, h2]) await until(() => isClean(host), PATIENCE, `${host.name} to be clean`);
    await until(async () => (await scarsOf(stage.cluster, uuid)).length <= 1, PATIENCE, 'all to be well');
  });

  async function copied(from: Hypervisor, to: Hypervisor): Promise<{ readonly move: Promise<Outcome> }> {
    await from.virsh('migrate-setspeed', 'vm1', '1');
    const move = stage.cluster.attemptMigrate(vm, to);
    const stands = async () => (await traceOf(to, uuid)).metrics.join() === '175,175';
    await until(stands, PATIENCE, 'the copy');
    return { move };
  }

  it('stays where it is if the host dies to which it moves, and may be started there again', async () => {
    const [h1, h2] = [stage.host(1), stage.host(2)];
    const { move } = await copied(h2, h1);
    // Whoever looks meanwhile leaves that it moves.
    const books = '/run/hnet/cluster/books.json';
    await h2.run(['rm', '-f', books]);
    await h2.run(['pkill', '-KILL', '-f', 'hnet.cjs attend']);
    const hasLooked = async () => (await h2.attempt(['test', '-e', books])).code === 0;
    await until(hasLooked, PATIENCE, 'h2 to have looked');
    expect(await runsOn()).to.contain('"to":"h1"');
    await h1.crash();
    expect((await move).code).not.to.equal(0);
    await until(async () => !/"to"/.test(await runsOn()), PATIENCE, 'the run to say that it stays');
    expect(await stage.lab.internet.ping(TRAVELS[4])).to.equal(true);
    await vm.destroy();
    await vm.start();
    await vm.ready();
    await h1.powerOn();
    await h1.unit('bird').start();
    await h1.unit('hnet-watch').start();
    for (const host of [h1, h2]) await until(() => isClean(host), PATIENCE, `${host.name} to be clean`);
    expect(await scarsOf(stage.cluster, uuid)).to.have.length(1);
  });

  it('is started elsewhere once its host is dead, which refuses it when it is back', async () => {
    const [h1, h2] = [stage.host(1), stage.host(2)];
    await h2.virsh('autostart', 'vm1');
    await h2.run(['systemctl', 'enable', 'hnet-watch', 'hnet-sync']);
    const { move } = await copied(h2, h1);
    await h2.crash();
    expect((await move).code).not.to.equal(0);
    await until(
      async () => /h2 .*down since/.test(await said(h1, 'cluster', 'status')),
      PATIENCE,
      'h2 to be down',
    );
    expect((await start(h1)).stderr).to.contain(
      `it runs on h2; h2 doesn't answer: if it is dead, hnet host dead h2 frees what ran there`,
    );
    expect(await stage.ok(h1, 'host', 'dead', 'h2', '--fenced')).to.contain(
      'h2: "vm1" may be started on another host now',
    );
    await vm.moved(h1);
    await vm.start();
    await vm.ready();
    for (const address of Object.values(TRAVELS))
      await until(() => stage.lab.internet.ping(address), PATIENCE, `an answer of ${address}`);
    await h2.powerOn();
    await h2.unit('bird').start();
    await until(async () => /h2 .*up/.test(await said(h1, 'cluster', 'status')), PATIENCE, 'h2 to be up');
    const log = await h2.run(['journalctl', '-b', '--no-pager']);
    expect(log).to.match(/Cannot start "vm1": it runs on h1; virsh migrate brings it here/);
    expect((await start(h2)).stderr).to.contain('it runs on h1; virsh migrate brings it here');
    for (const host of [h1, h2]) await until(() => isClean(host), PATIENCE, `${host.name} to be clean`);
    for (const address of Object.values(TRAVELS))
      expect(await stage.lab.internet.ping(address)).to.equal(true);
  });

  it('that was called dead, and was cut off alone, runs twice, and the host tells that etcd has given up', async () => {
    const [h1, h2] = [stage.host(1), stage.host(2)];
    await h1.cut();
    await until(
      async () => /h1 .*down since/.test(await said(h2, 'cluster', 'status')),
      PATIENCE,
      'h1 to be down',
    );
    await stage.ok(h2, 'host', 'dead', 'h1', '--fenced');
    expect((await start(h2)).code).to.equal(0);
    await h1.mend();
    await until(async () => /runs on h2 too/.test(await check(h1)), PATIENCE, 'h1 to tell of the twin');
    await h1.virsh('destroy', 'vm1');
    for (const host of [h1, h2]) await until(() => isClean(host), PATIENCE, `${host.name} to be clean`);
  });
});
