/**
 * What assign and a start cost in a cluster of 3,000 claims, beside a host that is alone, in turns. By hand:
 * `sudo npx tsx test/scale/claims.ts [CLAIMS] [ROUNDS]`
 */
import { median } from '../bench/statistics.ts';
import { Lab } from '../lab/lab.ts';
import { COMMAND, ensureBuilt } from '../support/build.ts';
import { Clustered, Member } from '../support/clustered.ts';
import { uuidOf } from '../support/domain.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import { Scene } from '../support/scene.ts';

const [CLAIMS = 3000, ROUNDS = 21] = process.argv.slice(2).map(Number);
const POOL = '123.64.0.0/14';

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - began) / 1e6;
}

/** A claim of another host's domain, as hnet writes it. */
function claimLine(number: number): string {
  const last = `${64 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
  const value = JSON.stringify({
    domain: uuidOf(`other${number}`),
    name: `other${number}`,
    bridge: `br${number}x`,
    scope: `10.${128 + (number >> 12)}.${(number >> 4) & 255}.${(number & 15) << 4}/28`,
  });
  return `put "/hnet/fra/claims/ip-123.${last}-32" ${JSON.stringify(value)}\n`;
}

async function fill(cluster: Clustered): Promise<void> {
  const { host } = cluster.member(1).scene;
  const [endpoint] = cluster.etcd.endpoints;
  for (let at = 0; at < CLAIMS; at += 100) {
    const lines = Array.from({ length: Math.min(100, CLAIMS - at) }, (_, index) =>
      claimLine(1024 + at + index),
    );
    await host.run(['etcdctl', `--endpoints=${endpoint}`, 'txn'], { input: `\n${lines.join('')}\n\n` });
  }
}

const lab = await Lab.create();
try {
  await ensureBuilt();
  const cluster = await Clustered.create(lab, { hosts: 1 });
  const member = cluster.member(1);
  const plainScene = await Scene.create(lab, { name: 'h2', config: `pools = ["${POOL}"]\n`, pools: [POOL] });
  const plain = new Member(plainScene, await FakeLibvirt.create(plainScene));
  const table = await member.scene.host.run(['sed', '1d', '/etc/hnet/hnet.toml']);
  await member.scene.configure(`pools = ["${POOL}"]\n${table}`);
  for (const one of [member, plain]) {
    await one.scene.base();
    await one.libvirt.define('vm1');
  }
  await member.ok('cluster', 'join');
  await fill(cluster);
  const hosts = { alone: plain, cluster: member };
  const took = new Map<string, number[]>();
  const note = (what: string, time: number): void => {
    took.set(what, [...(took.get(what) ?? []), time]);
  };
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, one] of Object.entries(hosts)) {
      note(`${name}: assign`, await timed(() => one.ok('assign', 'vm1', '--no-nic')));
      const xml = await one.libvirt.xml('vm1');
      const start = (): Promise<unknown> => one.scene.hook('prepare', 'vm1', xml);
      note(`${name}: start`, await timed(start));
      await one.scene.hook('release', 'vm1', xml);
      if (one === member) {
        note('cluster: start where it ran before', await timed(start));
        await one.scene.hook('release', 'vm1', xml);
        await cluster.etcd.ctl('del', '--prefix', '/hnet/fra/runs/');
      }
      note(`${name}: unassign`, await timed(() => one.ok('unassign', 'vm1', '--all')));
    }
  const ask = (): Promise<unknown> =>
    member.scene.host.run([
      'etcdctl',
      `--endpoints=${cluster.etcd.endpoints[0]}`,
      '-w',
      'json',
      'get',
      '--prefix',
      '/hnet/fra/',
    ]);
  for (let round = 0; round < ROUNDS; round++) note('etcdctl get of all claims', await timed(ask));
  for (let round = 0; round < ROUNDS; round++)
    note(
      'etcdctl get of one key',
      await timed(() =>
        member.scene.host.run([
          'etcdctl',
          `--endpoints=${cluster.etcd.endpoints[0]}`,
          'get',
          '/hnet/fra/claims-seq',
        ]),
      ),
    );
  for (const [what, times] of took)
    console.log(
      `${what.padEnd(36)} ${median(times).toFixed(0)} ms (least ${Math.min(...times).toFixed(0)}, of ${times.length})`,
    );
  const [status] = JSON.parse(await cluster.etcd.ctl('endpoint', 'status', '--write-out=json')) as {
    Status: { dbSize: number };
  }[];
  console.log(`etcd's store: ${((status?.Status.dbSize ?? 0) / 1e6).toFixed(0)} MB`);
  const { host } = member.scene;
  const trace = await host.attempt([process.execPath, COMMAND, '--trace', 'assign', 'vm1', '--no-nic']);
  console.log('etcdctl calls of assign:', (trace.stderr.match(/^\+ etcdctl /gm) ?? []).length);
  await cluster.remove();
} finally {
  lab.remove();
}
