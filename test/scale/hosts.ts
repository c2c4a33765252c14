/**
 * A cluster of many hosts, as far as one machine carries it. By hand: `sudo npx tsx test/scale/hosts.ts [HOSTS]`
 *
 * Each host is what its daemon keeps at etcd: a record with a lease, the process that keeps the lease, and the one that
 * watches. All of them are on one machine of the lab, etcd on another.
 */
import { readFileSync } from 'node:fs';
import type { Background } from '../lab/background.ts';
import { Etcd } from '../lab/cluster/etcd.ts';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { childrenOf } from '../lab/processes.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { residentIn } from './resident.ts';

const [HOSTS = 100] = process.argv.slice(2).map(Number);
/** For how long etcd is looked at while nothing happens, in milliseconds. */
const QUIET = 30_000;
const ROUNDS = 11;

const lab = await Lab.create();
try {
  const machine = await lab.host('h11', { pools: [] });
  const etcd = await Etcd.create([{ machine, wire: { address: machine.address, address6: '', mac: '' } }]);
  const host = await lab.host('h1');
  const watchers = await attend(host, etcd);
  const server = processOf('etcd');
  const before = cpuOf(server);
  await new Promise(resolve => setTimeout(resolve, QUIET));
  const spent = (cpuOf(server) - before) / QUIET;
  console.log(`${HOSTS} hosts, each with a lease of 15 s and a watch:`);
  console.log(`  etcd: ${(spent * 100).toFixed(1)} % of a processor, ${residentOf(server)} MB`);
  console.log(`  each host's two etcdctl: ${residentOf(processOf('etcdctl')) * 2} MB`);
  console.log(
    `  records: ${(await etcd.ctl('get', '--prefix', '--keys-only', '/hnet/fra/hosts/')).match(/hosts/g)?.length}`,
  );
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) times.push(await told(etcd, watchers, `run${round}`));
  times.sort((a, b) => a - b);
  console.log(
    `  a change until the last of ${watchers.length} watchers has told of it: ${times[ROUNDS >> 1]?.toFixed(0)} ms (${times[0]?.toFixed(0)} to ${times.at(-1)?.toFixed(0)}), of which etcdctl put takes most`,
  );
  await etcd.kill();
} finally {
  lab.remove();
}

/** Each host's record and processes. */
async function attend(host: Host, etcd: Etcd): Promise<Background[]> {
  const base = ['etcdctl', `--endpoints=${etcd.endpoints.join(',')}`];
  const watchers: Background[] = [];
  for (let number = 1; number <= HOSTS; number++) {
    const granted = await host.run([...base, 'lease', 'grant', '15']);
    const lease = /lease (\S+)/.exec(granted)?.[1] ?? '';
    host.start([...base, 'lease', 'keep-alive', lease]);
    const record = JSON.stringify({ host: `h${number}`, wire: [`10.9.0.${number}`], uplinks: [], pools: '' });
    await host.run([...base, 'put', `--lease=${lease}`, `/hnet/fra/hosts/h${number}`, record]);
    watchers.push(host.start([...base, 'watch', '--prefix', '/hnet/fra/']));
  }
  return watchers;
}

/** How long it takes until every watcher has told of a change, in milliseconds. */
async function told(etcd: Etcd, watchers: readonly Background[], name: string): Promise<number> {
  const began = process.hrtime.bigint();
  const put = etcd.ctl('put', `/hnet/fra/runs/${name}`, '{}');
  await until(() => watchers.every(({ output }) => output.includes(`runs/${name}\n`)), PATIENCE, name);
  const took = Number(process.hrtime.bigint() - began) / 1e6;
  await put;
  return took;
}

/** A process of the lab by its program's name. */
function processOf(name: string): number {
  const all = [...descendants(process.pid)];
  const found = all.find(pid => commOf(pid) === name);
  if (found === undefined) throw new Error(`no ${name} runs in the lab`);
  return found;
}

function* descendants(pid: number): Generator<number> {
  for (const child of childrenOf(pid)) {
    yield child;
    yield* descendants(child);
  }
}

function commOf(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
}

/** Its time on processors, in milliseconds. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** In megabytes. */
function residentOf(pid: number): number {
  return residentIn(readFileSync(`/proc/${pid}/status`, 'utf8'));
}
