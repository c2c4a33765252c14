/**
 * BIRDs of a cluster's hosts, each in a network of its own on one wire, with what `hnet host --format bird` prints. Every
 * host has its part of the routes in its kernel, as hnet puts them there, and learns those of all others. By hand:
 * `sudo npx tsx test/scale/routes.ts [HOSTS] [ROUTES] [REFLECTORS]`; without reflectors each tells every other.
 */
import { bird } from '../../src/guest/routing/bird.ts';
import { parseAddress, parsePrefix } from '../../src/model/address.ts';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { until } from '../lab/wait.ts';
import { residentIn } from './resident.ts';

const [HOSTS = 20, ROUTES = 10_000, REFLECTORS = 0] = process.argv.slice(2).map(Number);
/** The kernel has one table of neighbours for all networks of a machine, with room for 1,024; the machine needs some itself. */
const NEIGHBOURS = 800;
/** A full table takes long to come on a small machine, in milliseconds. */
const LIMIT = 30 * 60_000;

const CONFIG = '/run/lab/bird.conf';
const CONTROL = '/run/lab/bird.ctl';
const PID = '/run/lab/bird.pid';
/** An address that nobody has yet. */
const LATE = '10.255.255.1';

const sessions = REFLECTORS === 0 ? HOSTS * (HOSTS - 1) : REFLECTORS * (2 * HOSTS - REFLECTORS - 1);
if (sessions > NEIGHBOURS)
  throw new Error(`Cannot run ${HOSTS} hosts: their ${sessions} neighbours fill this machine's own table`);

const numbers = Array.from({ length: HOSTS }, (_, index) => index + 1);
const EACH = Math.floor(ROUTES / HOSTS);
const lab = await Lab.create();
try {
  const hosts = await Promise.all(numbers.map(number => lab.host(`h${number}`, { wired: true, pools: [] })));
  const [first, last] = [hosts[0], hosts.at(-1)];
  if (first === undefined || last === undefined) throw new Error('there is no host');
  for (const [index, host] of hosts.entries()) await fill(host, index + 1);
  console.log(
    `${HOSTS} hosts, ${EACH * HOSTS} routes, ${REFLECTORS || 'no'} reflectors, ${sessions} ends of sessions:`,
  );

  const began = Date.now();
  for (const host of hosts) await host.run(['bird', '-c', CONFIG, '-s', CONTROL, '-P', PID]);
  await allKnow(hosts, EACH * HOSTS);
  console.log(`  all know all after ${seconds(began)} s, from nothing, on one machine`);
  console.log((await ctl(last, 'show', 'memory')).replace(/^/gm, '    '));
  console.log(
    `  resident: ${await residentOf(first)} MB the first host, ${await residentOf(last)} MB the last`,
  );
  const kernel = async (): Promise<number> =>
    Number(await last.sh(`ip -4 route show table main proto bird | wc -l`));
  await until(
    async () => (await kernel()) >= EACH * (HOSTS - 1),
    LIMIT,
    "the last host's kernel to have all routes",
  );
  console.log(`  the last host's kernel has all of them after ${seconds(began)} s`);

  const again = Date.now();
  await last.run(['birdc', '-s', CONTROL, 'restart', 'all']);
  await new Promise(resolve => setTimeout(resolve, 1000));
  await allKnow(hosts, EACH * HOSTS);
  console.log(`  the last one restarts all of its sessions: all know all again after ${seconds(again)} s`);

  const times: number[] = [];
  for (let round = 0; round < 11; round++) times.push(await told(last, hosts[HOSTS >> 1] ?? first));
  times.sort((a, b) => a - b);
  console.log(
    `  one more route: in another host's kernel after ${times[5]} ms (${times[0]} to ${times.at(-1)}), of which two calls of ip are some`,
  );
} finally {
  lab.remove();
}

/** Its part of the routes, from 10.101.0.0 on for the first; and what BIRD is told. */
async function fill(host: Host, number: number): Promise<void> {
  const own = Array.from(
    { length: EACH },
    (_, index) => `route add 10.${100 + number}.${index >> 8}.${index & 255}/32 dev vms proto 104`,
  );
  await host.run(['ip', 'link', 'add', 'vms', 'type', 'bridge']);
  await host.run(['ip', 'link', 'set', 'vms', 'up']);
  await host.run(['ip', '-batch', '-'], { input: own.join('\n') });
  const [file] = bird({
    cluster: 'lab',
    host: `h${number}`,
    wire: 'eth1',
    addresses: [parseAddress(`10.9.0.${number}`)],
    peers: numbers
      .filter(other => other !== number)
      .map(other => ({ host: `h${other}`, wire: [parseAddress(`10.9.0.${other}`)] })),
    reflectors: numbers.slice(0, REFLECTORS).map(other => `h${other}`),
    pools: [parsePrefix('10.0.0.0/8')],
    uplinks: [],
    isUpstream: false,
  });
  await host.write(CONFIG, file?.text ?? '');
}

async function allKnow(hosts: readonly Host[], count: number): Promise<void> {
  for (const host of hosts)
    await until(async () => (await routesOf(host)) >= count, LIMIT, `${count} routes at ${host.name}`);
}

async function routesOf(host: Host): Promise<number> {
  const shown = await ctl(host, 'show', 'route', 'count');
  return Number(/(\d+) networks/.exec(shown)?.[1] ?? 0);
}

/** How long a route takes from one host's kernel into another's, in milliseconds. */
async function told(from: Host, to: Host): Promise<number> {
  const began = Date.now();
  const route = ['ip', 'route', 'add', LATE, 'dev', 'vms', 'proto', '104'];
  const knows = async (): Promise<boolean> =>
    (await to.run(['ip', 'route', 'show', LATE])).includes(' eth1 ');
  await from.run(route);
  await until(knows, LIMIT, LATE);
  const took = Date.now() - began;
  await from.run(['ip', 'route', 'delete', LATE]);
  await until(async () => !(await knows()), LIMIT, `the end of ${LATE}`);
  return took;
}

function ctl(host: Host, ...words: readonly string[]): Promise<string> {
  return host.run(['birdc', '-s', CONTROL, ...words]);
}

/** In megabytes. */
async function residentOf(host: Host): Promise<number> {
  return residentIn(await host.sh(`cat /proc/$(cat ${PID})/status`));
}

function seconds(since: number): string {
  return ((Date.now() - since) / 1000).toFixed(1);
}
