/**
 * BIRDs of a cluster's hosts, each in a network of its own on one wire: a full mesh, in which every host tells all others its
 * addresses. By hand: `sudo npx tsx test/scale/routes.ts [BIRDS] [ROUTES]`
 *
 * The routes are in BIRD's tables alone, as static ones: what the kernel does with them is another cost.
 */
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { until } from '../lab/wait.ts';

const [BIRDS = 20, ROUTES = 10_000] = process.argv.slice(2).map(Number);
/** A full table takes long to come on a small machine, in milliseconds. */
const LIMIT = 15 * 60_000;

const CONFIG = '/run/lab/bird.conf';
const CONTROL = '/run/lab/bird.ctl';
const PID = '/run/lab/bird.pid';

const lab = await Lab.create();
try {
  const hosts = await Promise.all(
    numbers(BIRDS).map(number => lab.host(`h${number}`, { wired: true, pools: [] })),
  );
  const began = Date.now();
  for (const [index, host] of hosts.entries()) await run(host, index + 1);
  await until(() => allKnow(hosts, ROUTES), LIMIT, 'every BIRD to have all routes');
  console.log(`${BIRDS} BIRDs, ${ROUTES} routes, a full mesh:`);
  console.log(`  all know all after ${seconds(began)} s, from nothing, on one machine`);
  const [first] = hosts;
  if (first === undefined) throw new Error('there is no host');
  console.log((await ctl(first, 'show', 'memory')).replace(/^/gm, '    '));
  console.log(`  resident: ${await residentOf(first)} MB each`);
  const again = Date.now();
  await first.run(['birdc', '-s', CONTROL, 'restart', 'all']);
  await until(() => allKnow(hosts, ROUTES), LIMIT, 'every BIRD to have all routes again');
  console.log(`  one restarts all of its sessions: all know all again after ${seconds(again)} s`);
  const more = Date.now();
  await first.sh(
    `sed -i 's,# more,route 10.255.255.1/32 blackhole;,' ${CONFIG}; birdc -s ${CONTROL} configure >/dev/null`,
  );
  await until(() => allKnow(hosts, ROUTES + 1), LIMIT, 'the last route to be everywhere');
  console.log(
    `  one more route: everywhere after ${Date.now() - more} ms, reading the configuration included`,
  );
} finally {
  lab.remove();
}

async function run(host: Host, number: number): Promise<void> {
  const own = numbers(Math.floor(ROUTES / BIRDS)).map(
    index => `  route 10.${number}.${index >> 8}.${index & 255}/32 blackhole;`,
  );
  const peers = numbers(BIRDS)
    .filter(other => other !== number)
    .map(other => `protocol bgp h${other} from host { neighbor 10.9.0.${other} as 65000; }`);
  await host.write(
    CONFIG,
    `router id 10.9.0.${number};
protocol device { }
protocol static own { ipv4;
${own.join('\n')}
# more
}
template bgp host { local 10.9.0.${number} as 65000; direct; hold time 90; connect delay time 1;
  ipv4 { import all; export where source = RTS_STATIC; next hop self; }; }
${peers.join('\n')}
`,
  );
  await host.run(['bird', '-c', CONFIG, '-s', CONTROL, '-P', PID]);
}

async function allKnow(hosts: readonly Host[], count: number): Promise<boolean> {
  for (const host of hosts) if ((await routesOf(host)) < count) return false;
  return true;
}

async function routesOf(host: Host): Promise<number> {
  const shown = await ctl(host, 'show', 'route', 'count');
  return Number(/(\d+) networks/.exec(shown)?.[1] ?? 0);
}

function ctl(host: Host, ...words: readonly string[]): Promise<string> {
  return host.run(['birdc', '-s', CONTROL, ...words]);
}

/** In megabytes. */
async function residentOf(host: Host): Promise<number> {
  const status = await host.sh(`cat /proc/$(cat ${PID})/status`);
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

function seconds(since: number): string {
  return ((Date.now() - since) / 1000).toFixed(1);
}
