import type { Guest } from '../../lab/guest.ts';
import type { Host } from '../../lab/host.ts';
import type { Hypervisor } from '../../lab/hypervisor.ts';
import type { Lab } from '../../lab/lab.ts';
import { INTERNET } from '../../lab/site.ts';
import { until } from '../../lab/wait.ts';
import { COMMAND } from '../../support/build.ts';
import { FakeLibvirt } from '../../support/libvirt.ts';
import { Scene } from '../../support/scene.ts';
import { time } from '../clock.ts';
import { assemble, plugIn, serve } from '../crowded.ts';
import { atMost, type Figure, figure } from '../figure.ts';
import { CONFIG, member, memberXml } from '../members.ts';
import { alternate } from '../rounds.ts';
import { inLab, type Row } from '../row.ts';
import { installed } from '../stage.ts';
import { median } from '../statistics.ts';

const LIMIT = 30_000;
const ADDRESS = '10.32.0.116';

/** What is done to a running domain's network, so that it is cut off until it is repaired. */
const HARM: Readonly<Record<string, string>> = {
  'the route removed': `ip route del ${ADDRESS} dev br116`,
  'the bridge deleted': 'ip link del br116',
};

/** What the restart of a firewall does to everybody's rules. */
const FLUSH = 'nft flush ruleset';

/** How long a look at everything takes, and how long a domain is cut off. */
export const repair: Row = {
  name: 'repair',
  title: 'check, sync, and repair',
  run: async ({ quick, step }) => [
    ...(await inLab(lab => crowd(lab, quick ? 100 : 1000, quick ? 3 : 10, step))),
    ...(await inLab(lab => repairs(lab, quick ? 3 : 10))),
  ],
};

/** So many domains can't run here, so libvirt is a stand-in that only tells their XML, by way of virsh. */
async function crowd(
  lab: Lab,
  count: number,
  rounds: number,
  step: (what: string) => void,
): Promise<Figure[]> {
  const one = await Scene.create(lab, { config: CONFIG, pools: [] });
  step(`  a host with ${count} domains`);
  await assemble(one.host, count);
  await plugIn(one.host, count);
  await serve(one.host, count);
  const libvirt = await FakeLibvirt.create(one);
  const numbers = Array.from({ length: count }, (_, number) => number);
  await libvirt.runAll(new Map(numbers.map(number => [member(number).domain, memberXml(number)])));
  const run = (command: string) => () => time(one.host, [`${process.execPath} ${COMMAND} ${command}`]);
  const samples = await alternate({ check: run('check'), sync: run('sync') }, rounds);
  const looks = Object.entries(samples).map(([command, rows]) => {
    const times = rows.flat();
    const target = { value: median(times), unit: 'ms', to: 'in all', target: atMost(2000) };
    return figure(`hnet ${command}, ${count} domains, all in order`, 'ms', times, [target]);
  });
  const guest = await one.host.guest({ name: 'guest', bridge: member(count >> 1).address.bridge });
  await guest.dhcp();
  return [...looks, await flushed(one.host, guest, count, rounds)];
}

/**
 * From a flush to the first answer that a guest gets, while `hnet watch` runs: a guest on its bootstrap lease, to which
 * no packet comes while the rules are gone.
 */
async function flushed(host: Host, guest: Guest, count: number, rounds: number): Promise<Figure> {
  const watch = host.start([process.execPath, COMMAND, 'watch']);
  const samples: number[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      await until(() => guest.ping(INTERNET), LIMIT, 'the guest to be on line');
      samples.push(await untilAnswered(host, guest));
    }
  } finally {
    await watch.stop();
  }
  const what = `from ${FLUSH} to the first packet through, with hnet watch, ${count} addresses`;
  return figure(what, 'ms', samples);
}

async function untilAnswered(host: Host, guest: Guest): Promise<number> {
  await host.sh(FLUSH);
  const begun = performance.now();
  const once = ['ping', '-n', '-q', '-c1', '-W0.1', INTERNET];
  await until(async () => (await guest.attempt(once)).code === 0, LIMIT, 'a packet through');
  return performance.now() - begun;
}

async function repairs(lab: Lab, rounds: number): Promise<Figure[]> {
  const hv = await installed(lab);
  await lab.route('10.32.0.0/16', hv);
  const vm = await hv.vm({
    name: 'vm1',
    nic: { type: 'bridge', source: 'br116' },
    append: `addr=${ADDRESS} gw=${hv.address}`,
  });
  await hv.run(['hnet', 'assign', 'vm1', ADDRESS]);
  await vm.start();
  await vm.ready();
  const figures: Figure[] = [];
  for (const [service, verb] of [
    ['with the service', 'start'],
    ['by hnet sync, from its call on', 'stop'],
  ] as const) {
    await hv.run(['systemctl', verb, 'hnet-watch']);
    const variants = Object.entries(HARM).map(([what, harm]) => [
      what,
      () => cutOff(lab, hv, verb === 'stop' ? `${harm}; hnet sync` : harm),
    ]);
    const samples = await alternate<string, number>(Object.fromEntries(variants), rounds);
    for (const [what, times] of Object.entries(samples)) {
      const target = { value: median(times), unit: 'ms', to: 'in all', target: atMost(2000) };
      figures.push(figure(`${what}: reached again ${service}`, 'ms', times, [target]));
    }
  }
  return figures;
}

/** From the damage until the domain is reached again from outside. */
async function cutOff(lab: Lab, hv: Hypervisor, harm: string): Promise<number> {
  const reached = () => lab.internet.attempt(['ping', '-n', '-q', '-c1', '-W0.1', ADDRESS]);
  const begun = performance.now();
  await hv.sh(harm);
  await until(async () => (await reached()).code === 0, LIMIT, 'the domain to be reached again');
  return performance.now() - begun;
}
