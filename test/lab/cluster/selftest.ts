import assert from 'node:assert/strict';
import type { Hypervisor } from '../hypervisor.ts';
import { Lab } from '../lab.ts';
import type { Machine } from '../machine.ts';
import { Pings } from '../pings.ts';
import { INTERNET } from '../site.ts';
import { ECHO, Stream } from '../stream.ts';
import { PATIENCE, until } from '../wait.ts';
import type { Cluster } from './cluster.ts';

/** Proves the lab's cluster: `npx tsx test/lab/cluster/selftest.ts`, as root. hnet's part is done by hand here. */
const begun = performance.now();
let last = begun;

function step(what: string): void {
  const now = performance.now();
  console.log(`${(now - last).toFixed(0).padStart(6)} ms  ${what}`);
  last = now;
}

const [ADDRESS, ADDRESS6] = ['123.45.90.116', '2001:db8:12:4900::116'];
/** What the hook of hnet makes on a host on which a domain starts, or arrives. */
const BRIDGE = `
  sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  ip link add br116 type bridge forward_delay 0 stp_state 0
  ip link set br116 addrgenmode none up
  ip addr add fe80::1/64 dev br116 nodad`;
const route = (metric: number) => `
  ip route add ${ADDRESS}/32 dev br116 proto 104 metric ${metric}
  ip -6 route add ${ADDRESS6}/128 dev br116 proto 104 metric ${metric}`;

const routeOf = (machine: Machine, family: 4 | 6) =>
  machine.run(['ip', `-${family}`, 'route', 'show', family === 4 ? ADDRESS : ADDRESS6]);

async function reachable(lab: Lab, from: Machine = lab.internet): Promise<void> {
  for (const address of [ADDRESS, ADDRESS6])
    await until(() => from.ping(address), PATIENCE, `${address} to answer ${from.name}`);
}

async function moves(lab: Lab, cluster: Cluster, [h1, h2, h3]: readonly Hypervisor[]): Promise<void> {
  assert.ok(h1 && h2 && h3);
  for (const host of cluster.hosts)
    await host.sh(`${BRIDGE}\nip addr add ${h1.address}/32 dev br116`.replace(h1.address, '169.254.0.1'));
  const append = `addr=${ADDRESS} gw=169.254.0.1 addr6=${ADDRESS6}`;
  const vm = await cluster.vm(h1, { name: 'vm1', nic: { type: 'bridge', source: 'br116' }, append });
  await h1.sh(route(200));
  await vm.start();
  await vm.ready();
  await reachable(lab);
  for (const family of [4, 6] as const) {
    assert.match(await routeOf(lab.gateway, family), / dev h1 proto bird/);
    assert.match(await routeOf(h3, family), /dev eth1 proto bird metric 150/);
  }
  step('VM on h1 is reached from the Internet, and the others have its routes');
  await reachable(lab, h3);
  await vm.sh(ECHO);
  const called = await Stream.open(lab.internet, ADDRESS);
  const calling = await Stream.accept(lab.internet, 7000, () =>
    vm.sh(`nc ${INTERNET} 7000 -e /bin/cat >/dev/null 2>&1 &`),
  );
  const pings = await Pings.start(lab.internet, ADDRESS);
  await h2.sh(route(175));
  const { downtime, took } = await cluster.migrate(vm, h2);
  await h2.sh(route(50));
  await h1.sh(`ip route del ${ADDRESS} metric 200; ip -6 route del ${ADDRESS6} metric 200`);
  await pings.more(50);
  const loss = await pings.stop();
  for (const stream of [called, calling]) {
    const { sent, returned, wrong, failure } = await stream.stop();
    assert.deepEqual({ returned, wrong, failure }, { returned: sent, wrong: 0, failure: null });
  }
  assert.match(await routeOf(lab.gateway, 4), / dev h2 proto bird/);
  await reachable(lab);
  assert.equal(await vm.ping(INTERNET), true);
  assert.ok(loss.lost > 0, 'a route that follows late must have cost something');
  step(`VM moved to h2 in ${took} ms, down for ${downtime} ms; pings: ${JSON.stringify(loss)}`);
}

/** A host that hangs loses its routes elsewhere, and gets them back. */
async function hangs(lab: Lab, cluster: Cluster, [, h2]: readonly Hypervisor[]): Promise<void> {
  assert.ok(h2);
  await h2.freeze();
  await until(async () => (await routeOf(lab.gateway, 4)) === '', PATIENCE, 'the route to h2 to go');
  assert.equal(await lab.internet.ping(h2.address), false);
  step('h2 hangs, and the provider has no route to it any more');
  await h2.go();
  await cluster.meshed(h2);
  await reachable(lab);
  step('h2 goes on, and the VM on it is reached again');
}

const lab = await Lab.create();
step('lab made');
const cluster = await lab.cluster({ hosts: 3, etcds: ['h1', 'e1', 'e2'] });
step('three hosts, three etcds, BIRD everywhere');
assert.equal((await cluster.etcd.ctl('member', 'list')).split('\n').length, 3);
const leader = await cluster.etcd.leader();
await leader.daemon.freeze();
await until(
  async () => (await cluster.etcd.attempt('put', 'k', 'v', '--command-timeout=2s')).code === 0,
  PATIENCE,
  'etcd to go on',
);
await leader.daemon.go();
await until(() => cluster.etcd.answers(), PATIENCE, 'all of etcd');
step(`etcd goes on without its leader ${leader.name}, which comes back`);
await moves(lab, cluster, cluster.hosts);
await hangs(lab, cluster, cluster.hosts);
lab.remove();
step('lab removed');
console.log(`${(performance.now() - begun).toFixed(0).padStart(6)} ms  in all`);
