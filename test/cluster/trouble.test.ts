import { expect } from 'chai';
import type { Hypervisor } from '../lab/hypervisor.ts';
import { INTERNET } from '../lab/site.ts';
import type { Vm } from '../lab/vm.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { homeOf, scarsOf, tracesOf } from './scar.ts';
import { ClusterStage, tableWith } from './stage.ts';
import { defineTraveller, followMoves, TRAVELS } from './travel.ts';
import { MOMENTS, type Moment, type Scene, TROUBLES, type Trouble } from './troubles.ts';

/** How long the daemons have to put everything right by themselves, in milliseconds. */
const REPAIR = 75_000;
/** And after `hnet sync`. */
const SYNC = 20_000;
/** In which check tells of a VM that is on two hosts. */
const TWIN = 180_000;

describe('a move that is disturbed', () => {
  const stage = new ClusterStage({
    hosts: 2,
    etcds: 1,
    toml: tableWith('settle = "8s"'),
  });
  let vm: Vm;
  let uuid: string;
  let definition: string;

  before(async () => {
    const { cluster } = stage;
    const h1 = stage.host(1);
    vm = await defineTraveller(cluster, stage.ok);
    uuid = await h1.virsh('domuuid', 'vm1');
    definition = await h1.virsh('dumpxml', 'vm1', '--inactive');
    await vm.start();
    await followMoves(cluster);
    await vm.ready();
    await settled();
  });

  /** Waits until everything is as it should be, by itself. */
  async function settled(): Promise<void> {
    const isGood = async () => (await scarsOf(stage.cluster, uuid)).length === 0;
    await until(isGood, PATIENCE, 'the scene');
  }

  const traces = () => tracesOf(stage.cluster, uuid);

  /** After a failure the next row begins with a VM that has just been started. */
  async function anew(): Promise<void> {
    const [h1] = stage.cluster.hosts;
    if (h1 === undefined) return;
    for (const host of stage.cluster.hosts) {
      await host.unit('libvirtd').restart();
      await host.attempt(['virsh', '-q', 'destroy', 'vm1']);
      await host.attempt(['virsh', '-q', 'undefine', 'vm1']);
      await host.attempt(['hnet', 'sync']);
    }
    await stage.cluster.etcd.attempt('del', `/hnet/lab/runs/${uuid}`);
    await h1.write('/root/vm1.xml', definition);
    await h1.virsh('define', '/root/vm1.xml');
    await vm.moved(h1);
    await vm.start();
    await vm.ready();
    await settled();
  }

  async function scene(): Promise<Scene> {
    const home = homeOf(await traces());
    const source = stage.cluster.hosts.find(({ name }) => name === home);
    const destination = stage.cluster.hosts.find(one => one !== source);
    if (source === undefined || destination === undefined) throw new Error('the VM runs nowhere');
    await vm.moved(source);
    return { cluster: stage.cluster, vm, uuid, source, destination };
  }

  async function row(moment: Moment, trouble: Trouble): Promise<void> {
    const now = await scene();
    const { move, goOn } = await MOMENTS[moment](now);
    let outcome = '';
    try {
      await trouble.begin(now);
      if (trouble.holds !== true) await goOn();
      if (trouble.until !== undefined) await trouble.until(now);
    } finally {
      await trouble.end?.(now);
      await goOn();
      const { code, stderr } = await move;
      outcome = code === 0 ? 'moved' : (stderr.trim().split('\n').at(-1) ?? '');
    }
    const begun = Date.now();
    const cured: string[] = [];
    let scars = await scarsAfter(REPAIR);
    for (const [name, cure] of Object.entries({ 'a sync': sync, 'the end of its twin': endTwin })) {
      if (scars.length === 0) break;
      cured.push(`${name} (before it: ${scars.join('; ')})`);
      await cure();
      scars = await scarsAfter(SYNC);
    }
    const seconds = Math.round((Date.now() - begun) / 100) / 10;
    console.log(`      ${outcome}; good after ${seconds} s, ${cured.join(', ') || 'by itself'}`);
    expect(scars).to.deep.equal([]);
    await expectWell(await scene());
  }

  /** Waits until there are none, and gives back those that stay. */
  async function scarsAfter(limit: number): Promise<string[]> {
    let scars: string[] = [];
    const isGood = async () => {
      scars = await scarsOf(stage.cluster, uuid);
      return scars.length === 0;
    };
    await until(isGood, limit, 'repair').catch(() => undefined);
    return scars;
  }

  async function sync(): Promise<void> {
    for (const host of stage.cluster.hosts) await host.attempt(['hnet', 'sync']);
  }

  /**
   * Where libvirt's own daemon dies at the wrong moment each side takes the VM for its own, or one side keeps it paused. hnet
   * ends no VM; it must tell that there are two, and be right again once the operator has ended one.
   */
  async function endTwin(): Promise<void> {
    const there = (await traces()).filter(({ standing }) => standing !== undefined);
    if (there.length < 2) return;
    const told = async () => (await Promise.all(stage.cluster.hosts.map(tellsTwin))).find(Boolean);
    const twin = await until(told, TWIN, 'check to tell of the twin');
    await twin.virsh('destroy', 'vm1');
    await twin.virsh('undefine', 'vm1');
  }

  const tellsTwin = async (host: Hypervisor): Promise<Hypervisor | undefined> => {
    const { stdout } = await stage.hnet(host, 'check');
    const isTold =
      /by etcd's word it runs on h\d too|it has moved to h\d, and libvirt still has it here/.test(stdout);
    return isTold ? host : undefined;
  };

  async function expectWell({ source }: Scene): Promise<void> {
    for (const address of Object.values(TRAVELS))
      await until(
        () => stage.lab.internet.ping(address),
        60_000,
        `an answer of ${address} on ${source.name}`,
      );
    expect(await vm.ping(INTERNET)).to.equal(true);
    for (const host of stage.cluster.hosts) await expectClean(host);
  }

  async function expectClean(host: Hypervisor): Promise<void> {
    let said = '';
    const isClean = async () => {
      const { code, stdout, stderr } = await stage.hnet(host, 'check');
      said = stdout + stderr;
      return code === 0;
    };
    await until(isClean, 60_000, `${host.name} to be clean`).catch(() => undefined);
    expect(said.trim(), host.name).to.equal('Everything is as it should be');
  }

  let isSound = true;
  beforeEach(async () => {
    if (isSound) await settled();
    else await anew();
    isSound = false;
  });

  it('without any daemon is put right by one sync, but for the books, which wait for a daemon', async () => {
    const { destination, source } = await scene();
    const daemons = stage.cluster.hosts.map(host => host.unit('hnet-watch'));
    await Promise.all(daemons.map(daemon => daemon.stop()));
    await stage.cluster.migrate(vm, destination);
    await sync();
    for (const host of stage.cluster.hosts) await expectClean(host);
    expect(await scarsOf(stage.cluster, uuid)).to.deep.equal([
      `etcd: it runs on ${source.name}`,
      `etcd: it is on its way to ${destination.name}`,
    ]);
    // A copy of its definition would be a twin.
    await source.write('/root/vm1.xml', definition);
    await source.virsh('define', '/root/vm1.xml');
    const { stderr } = await source.attempt(['virsh', 'start', 'vm1']);
    expect(stderr).to.contain(`it was on its way to ${destination.name}, and may run there`);
    await source.virsh('undefine', 'vm1');
    await Promise.all(daemons.map(daemon => daemon.start()));
    expect(await scarsAfter(REPAIR)).to.deep.equal([]);
    await expectWell(await scene());
    isSound = true;
  });

  it('that is over is followed by one back at once', async () => {
    for (let round = 0; round < 3; round++) {
      const { source, destination } = await scene();
      await stage.cluster.migrate(vm, destination);
      await stage.cluster.migrate(vm, source);
      expect(await scarsAfter(REPAIR)).to.deep.equal([]);
      await expectWell(await scene());
    }
    isSound = true;
  });

  for (const moment of Object.keys(MOMENTS) as Moment[])
    describe(moment, () => {
      for (const [name, trouble] of Object.entries(TROUBLES)) {
        if (trouble.moments?.includes(moment) === false) continue;
        it(name, async () => {
          await row(moment, trouble);
          isSound = true;
        });
      }
    });
});
