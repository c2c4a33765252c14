import { expect } from 'chai';
import { parseAttachment, renderAttachment } from '../../src/model/attachment.ts';
import type { Background } from '../lab/background.ts';
import { Lab } from '../lab/lab.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { COMMAND, ensureBuilt } from '../support/build.ts';
import { Clustered, clusterToml, type Member } from '../support/clustered.ts';
import { uuidOf } from '../support/domain.ts';
import { REAL } from '../support/scene.ts';

const ADDRESS = '123.45.90.116';

describe('runs in a cluster', () => {
  let lab: Lab;
  let cluster: Clustered;
  let h1: Member;
  let h2: Member;

  before(async () => {
    await ensureBuilt();
    lab = await Lab.create();
    cluster = await Clustered.create(lab, { etcds: 3 });
    [h1, h2] = [cluster.member(1), cluster.member(2)];
    for (const { scene } of cluster.members) await scene.base();
    await cluster.join();
    await h1.libvirt.define('vm1', 'vm2');
    await h1.ok('assign', 'vm1', ADDRESS, '--no-nic');
    await h1.ok('assign', 'vm2', '123.45.90.117', '--no-nic');
    // Disks are shared, say: both hosts have the definition.
    await h2.libvirt.adopt('vm1', await h1.libvirt.xml('vm1'));
  });
  after(async () => {
    await cluster?.remove();
    lab?.remove();
  });

  const attend = ({ scene }: Member): Background => scene.host.start([process.execPath, COMMAND, 'attend']);
  const isUp = async (host: string): Promise<boolean> => (await cluster.keys('hosts/')).includes(host);

  async function start(member: Member, name: string): Promise<void> {
    const { code, stderr } = await member.prepare(name);
    expect(stderr).to.equal('');
    expect(code).to.equal(0);
  }

  it('are one of each domain: its twin on another host is refused, and told where it runs', async () => {
    await start(h1, 'vm1');
    expect(await cluster.runsOn('vm1')).to.equal('h1');
    expect(await h2.refusal('vm1')).to.match(/^hnet: Cannot start "vm1": it runs on h1; /);
    expect(await h2.scene.host.run(['ip', 'route', 'show', ADDRESS])).to.equal('');
    // Again on its own host, where nobody has noted that it ended.
    await h1.release('vm1');
    await start(h1, 'vm1');
    expect((await h1.hnet('assign', 'vm1', '123.45.90.118', '--no-nic')).code).to.equal(0);
    const elsewhere = await h2.hnet('assign', 'vm1', '123.45.90.119', '--no-nic');
    expect(elsewhere.stderr).to.contain('Cannot assign to "vm1": it runs on h1; do it there');
    await h1.ok('unassign', 'vm1', '123.45.90.118');
    await h1.release('vm1');
  });

  it('end in the books once a domain has ended, and the host is known as up for as long as it is', async () => {
    const [one, two] = [attend(h1), attend(h2)];
    await until(async () => (await isUp('h1')) && (await isUp('h2')), PATIENCE, 'both hosts to be up');
    await until(async () => (await cluster.runsOn('vm1')) === undefined, PATIENCE, 'the run to end');
    const peers = (): Promise<string> => h1.scene.host.run(['cat', '/run/hnet/cluster/peers.json']);
    await until(async () => /"h2"/.test(await peers()), PATIENCE, 'h1 to know h2');
    await start(h2, 'vm1');
    expect(await cluster.runsOn('vm1')).to.equal('h2');
    expect(await h1.refusal('vm1')).to.contain('it runs on h2; virsh migrate brings it here');
    await h2.release('vm1');
    await until(async () => (await cluster.runsOn('vm1')) === undefined, PATIENCE, 'the run to end');
    await start(h1, 'vm1');
    await one.stop('SIGKILL');
    await until(async () => !(await isUp('h1')), PATIENCE, 'the lease to end');
    expect((await h2.ok('cluster', 'status')).join('\n')).to.match(/h1 +down since/);
    expect(await h2.refusal('vm1')).to.contain(
      "it runs on h1; h1 doesn't answer: if it is dead, hnet host dead h1 frees what ran there",
    );
    await two.stop();
  });

  it('of a dead host are freed by its name, and back from the dead it is told where they are', async () => {
    expect((await h2.hnet('host', 'dead', 'h9', '--fenced')).stderr).to.contain(
      'no host of the cluster is called so',
    );
    expect((await h2.hnet('host', 'dead', 'h2', '--fenced')).stderr).to.contain('this is h2, and it lives');
    const unasked = await h2.hnet('host', 'dead', 'h1');
    expect(unasked.stderr).to.equal(
      'hnet: Cannot free what runs on "h1": nobody can be asked here; say --fenced if it is off for certain',
    );
    expect(unasked.code).to.equal(2);
    expect(await h2.ok('host', 'dead', 'h1', '--fenced')).to.deep.equal([
      'h1: "vm1" may be started on another host now',
    ]);
    await start(h2, 'vm1');
    // It never was off: what runs there is told, at both ends by etcd's word.
    const attendance = attend(h1);
    const check = async (): Promise<string> => (await h1.hnet('check')).stdout;
    await until(async () => /runs on h2 too/.test(await check()), PATIENCE, 'check to tell of the twin');
    await h1.release('vm1');
    expect(await h1.refusal('vm1')).to.contain('it runs on h2');
    await attendance.stop();
    await h2.release('vm1');
  });

  it('of what has left stay while nobody knows whether it has come, and it starts nowhere meanwhile', async () => {
    await h1.ok('host', 'dead', 'h2', '--fenced');
    await start(h1, 'vm1');
    const key = `/hnet/fra/runs/${uuidOf('vm1')}`;
    const run = JSON.parse(await cluster.value(`runs/${uuidOf('vm1')}`));
    const moves = () => cluster.etcd.ctl('put', key, JSON.stringify({ ...run, to: 'h2' }));
    // It runs here, and libvirt doesn't move it: so h2 is dead, or was too slow.
    await moves();
    const first = attend(h1);
    const stays = async () => !/"to"/.test(await cluster.value(`runs/${uuidOf('vm1')}`));
    await until(stays, PATIENCE, 'h1 to note that it stays');
    await first.stop();
    await moves();
    await h1.release('vm1');
    const books = '/run/hnet/cluster/books.json';
    await h1.scene.host.run(['rm', '-f', books]);
    const attendances = [attend(h1)];
    const hasLooked = async () => (await h1.scene.host.attempt(['test', '-e', books])).code === 0;
    await until(hasLooked, PATIENCE, 'h1 to have looked');
    expect(await h1.refusal('vm1')).to.match(
      /Cannot start "vm1": it was on its way to h2, and may run there; /,
    );
    expect(await h2.refusal('vm1')).to.contain('it runs on h1');
    // h2 says that it hasn't come; then h1 knows that it runs nowhere.
    attendances.push(attend(h2));
    await until(async () => (await cluster.runsOn('vm1')) === undefined, PATIENCE, 'the run to end');
    for (const one of attendances) await one.stop();
  });

  it('go on without a follower, and with a leader that hangs the second try is answered', async () => {
    await h1.ok('host', 'dead', 'h2', '--fenced');
    const members = cluster.etcd.members;
    const leader = await cluster.etcd.leader();
    const follower = members.find(one => one !== leader);
    await follower?.daemon.freeze();
    await start(h1, 'vm1');
    await h1.release('vm1');
    await follower?.daemon.go();
    await until(() => cluster.etcd.answers(), PATIENCE, 'all etcds to answer');
    const now = await cluster.etcd.leader();
    await now.daemon.freeze();
    await start(h1, 'vm1');
    await h1.release('vm1');
    await now.daemon.go();
    await until(() => cluster.etcd.answers(), PATIENCE, 'all etcds to answer');
  });

  it('and libvirt has them here, and their routes still wait for them: a fault of every command that looks', async () => {
    const file = `/run/hnet/attachments/${uuidOf('vm1')}.json`;
    const waits = 'it runs here, and its routes still wait for it';
    const arrive = async (): Promise<void> => {
      const text = `${await h1.scene.host.read(file)}\n`;
      await h1.scene.host.write(file, renderAttachment({ ...parseAttachment(text), state: 'incoming' }));
    };
    await start(h1, 'vm1');
    await h1.libvirt.start('vm1');
    await arrive();
    expect((await h1.hnet('check')).stdout).to.contain(waits);
    expect((await h1.hnet('check', 'vm1')).stdout).to.match(
      new RegExp(`^vm1 +route +changed +${waits}$`, 'm'),
    );
    expect((await h1.hnet('sync', '--dry-run')).stdout).to.contain(`~ "vm1": route (${waits})`);
    expect((await h1.hnet('status', '--json')).stdout).to.contain(waits);
    expect((await h1.hnet('metrics')).stdout).to.match(/^hnet_domain_faults[{]domain="vm1"[}] [1-9]/m);
    // It is told once it is seen: here no route is put by any command.
    await h1.scene.replace(
      '/usr/sbin/ip',
      `case "$*" in *-batch*) exec sed '/^route/d' | ${REAL}/ip "$@" ;; esac; exec ${REAL}/ip "$@"`,
    );
    await h1.scene.host.run(['ip', 'route', 'flush', ADDRESS]);
    const idle = await h1.hnet('sync');
    expect(idle.code).to.equal(1);
    expect(`${idle.stdout}${idle.stderr}`).not.to.contain('turned: ');
    await h1.scene.restore('/usr/sbin/ip');
    await arrive();
    expect((await h1.hnet('sync')).stdout).to.contain(
      'turned: br116 of "vm1" (it has come from another host)',
    );
    expect(await h1.scene.host.run(['ip', 'route', 'show', ADDRESS])).to.contain('dev br116');
    expect((await h1.hnet('check')).stdout).not.to.contain('routes');
    await h1.libvirt.adopt('vm1', await h1.libvirt.xml('vm1'));
    await h1.release('vm1');
  });

  it('without a quorum start where they ran last, unless a peer announces them; all else is refused in time', async () => {
    const attendances = [attend(h1), attend(h2)];
    const held = ({ scene }: Member): Promise<string> => scene.host.sh('ls /var/lib/hnet/cluster/held');
    await until(async () => (await isUp('h1')) && (await isUp('h2')), PATIENCE, 'both hosts to be up');
    await start(h1, 'vm1');
    await until(async () => (await held(h2)) === '', PATIENCE, 'h2 to know that vm1 runs on h1');
    for (const one of attendances) await one.stop();
    const [, second, third] = cluster.etcd.members;
    await second?.daemon.kill();
    await third?.daemon.kill();
    // What runs goes on, and ends.
    await h1.release('vm1');
    await start(h1, 'vm1');
    await h1.release('vm1');
    expect(await h2.refusal('vm1')).to.match(
      /etcd doesn't answer at .*, and another host may run it: this one didn't run it last$/,
    );
    await h1.scene.host.sh(`ip link add wire type veth peer name far; ip link set far up; ip link set wire up
      ip route add ${ADDRESS} dev wire proto bird metric 150`);
    expect(await h1.refusal('vm1')).to.contain(`and a peer has ${ADDRESS}, by the route via wire`);
    await h1.scene.host.run(['ip', 'link', 'del', 'wire']);
    await h1.scene.configure(clusterToml(cluster.etcd.endpoints, 'host = "h1"\noffline = "refuse"'));
    expect(await h1.refusal('vm1')).to.contain(
      'nothing starts until it does (offline = "refuse" in hnet.toml)',
    );
    await h1.scene.configure(clusterToml(cluster.etcd.endpoints, 'host = "h1"'));
    await second?.daemon.start();
    await third?.daemon.start();
    await until(() => cluster.etcd.answers(), PATIENCE, 'all etcds to answer');
  });
});
