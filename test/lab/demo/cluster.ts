/** Three hosts, and a VM that libvirt moves between them while the Internet pings it and talks to it. */

import type { Cluster } from '../cluster/cluster.ts';
import { FLAGS } from '../cluster/migration.ts';
import type { Hypervisor } from '../hypervisor.ts';
import { fetchKernel } from '../kernel.ts';
import { Lab } from '../lab.ts';
import { INTERVAL, type Loss, Pings } from '../pings.ts';
import { INTERNET } from '../site.ts';
import { type Course, ECHO, Stream } from '../stream.ts';
import type { Vm } from '../vm.ts';
import { PATIENCE, until } from '../wait.ts';
import {
  begun,
  heading,
  insist,
  note,
  PROJECT,
  paint,
  type Shell,
  seconds,
  shellIn,
  shellOf,
  step,
  stepOnAll,
  type,
  wait,
} from './terminal.ts';
import { insistSame, traces } from './traces.ts';

const [IPV4, IPV6] = ['123.45.90.116', '2001:db8:12:4900::116'];
/** So many pings may be lost in a move, and as many more as the machine stood still for while it sent them. */
const MOST = 3;

/** A host, and a terminal on it. */
interface Seat {
  readonly host: Hypervisor;
  readonly shell: Shell;
}

export async function cluster(): Promise<void> {
  console.log(`hnet on three hosts in a sandbox: a provider with its gateway, an "Internet" host (${INTERNET}), and the
hypervisors h1, h2 and h3 with a wire between them. BIRD runs on each of them and tells the provider which addresses are there; etcd
runs on each of them too. None of it is visible to this machine, and none of it stays.`);

  heading('Three hypervisors with systemd, libvirt, BIRD and etcd');
  await wait('a kernel for the virtual machine', fetchKernel);
  const lab = await Lab.create();
  const made = await wait('provider and hypervisors up', () =>
    lab.cluster({ hosts: 3, etcds: ['h1', 'h2', 'h3'], copy: { '/root/hnet': PROJECT } }),
  );
  const seats = made.hosts.map(host => ({ host, shell: shellOf(`${host.name}#`, host, '/root/hnet') }));
  const shells = seats.map(({ shell }) => shell);
  const pristine = await allTraces(made);
  const [h1, h2, h3] = seats;
  if (h1 === undefined || h2 === undefined || h3 === undefined) throw new Error('The lab made too few hosts');

  await install(made, shells);
  const vm1 = await publicAddress(lab, made, h1);
  await moves(lab, vm1, [h1, h2, h3]);

  heading('Take it all away: the hosts are as they were');
  await step(h3.shell, 'virsh destroy vm1 && hnet unassign vm1 --all && virsh undefine vm1');
  await stepOnAll(shells, 'hnet cluster leave', { output: [/has left the cluster/] });
  await stepOnAll(shells, './install.sh --uninstall --purge', { output: [/^hnet: removed$/m] });
  await insistSame(pristine, () => allTraces(made), 'something is left of hnet');
  note('links, routes, rules, sets and DHCP servers are as they were before the installation, on all three');

  await wait('sandbox removed', async () => lab.remove());
  console.log(
    `\n${paint(32, '✓')} All as it should be, in ${seconds(begun)}. This machine has kept nothing of it but packages.`,
  );
}

const allTraces = async ({ hosts }: Cluster): Promise<string> =>
  (await Promise.all(hosts.map(traces))).join('\n');

async function install(made: Cluster, shells: readonly Shell[]): Promise<void> {
  heading('Install hnet on each host, with one hnet.toml for all of them');
  const toml = `pools = ${JSON.stringify(made.pools)}

[cluster]
name = "lab"
interface = "eth1"
etcd = ${JSON.stringify(made.etcd.endpoints)}
announce = "bgp"`;
  await stepOnAll(shells, `mkdir -p /etc/hnet; cat >/etc/hnet/hnet.toml <<'END'\n${toml}\nEND`);
  await stepOnAll(shells, './install.sh --yes --quiet', { output: [/^done/m] });

  heading('Make them one cluster');
  // One after the other: each sees the hosts before it.
  for (const shell of shells) await step(shell, 'hnet cluster join', { output: [/is in the cluster "lab"/] });
  await wait('the services follow libvirt', () => Promise.all(made.hosts.map(followed)));
  const [first] = shells;
  if (first !== undefined)
    await step(first, 'hnet cluster status', {
      output: [/^h1 \(this one\) +up/m, /^h2 +up/m, /^h3 +up/m],
    });
}

/** Waits until the service of a host hears of what libvirt does. */
async function followed(host: Hypervisor): Promise<void> {
  const follows = async () => (await host.attempt(['pgrep', '-f', 'hnet.cjs follow'])).code === 0;
  await until(follows, PATIENCE, `hnet's service on ${host.name}`);
}

async function publicAddress(lab: Lab, made: Cluster, { host, shell }: Seat): Promise<Vm> {
  heading(`vm1 starts on h1, with ${IPV4} and ${IPV6}`);
  const append = `addr=${IPV4} gw=${host.address} addr6=${IPV6}`;
  const vm1 = await made.vm(host, { name: 'vm1', nic: { type: 'network', source: 'default' }, append });
  await step(shell, `hnet assign vm1 ${IPV4} ${IPV6}`, { output: [/^vm1: 123\.45\.90\.116 on br116/m] });
  await step(shell, 'virsh start vm1');
  await wait('vm1 has booted', () => vm1.ready());
  for (const address of [IPV4, IPV6])
    await step(shellOf('internet#', lab.internet), `ping -c 3 -i 0.2 ${address}`, {
      output: [/ 0% packet loss/],
    });
  await step(shell, 'hnet status', { output: [/^vm1 +running +123\.45\.90\.116 .* ok$/m] });
  return vm1;
}

/** Pings and a TCP connection from the Internet, which go on through all moves. */
async function moves(lab: Lab, vm1: Vm, seats: readonly [Seat, ...Seat[]]): Promise<void> {
  heading(`The Internet pings vm1 every ${INTERVAL} ms and holds a TCP connection to it, while it moves`);
  await step(shellIn(vm1), ECHO);
  const internet = shellOf('internet#', lab.internet);
  for (const address of [IPV4, IPV6]) type([internet], `${Pings.argv(address).join(' ')} &`);
  const trains = await Promise.all([IPV4, IPV6].map(address => Pings.start(lab.internet, address)));
  type([internet], `node test/lab/stream.cjs connect ${IPV4} 7 &`);
  const stream = await Stream.open(lab.internet, IPV4);
  note('all of them are answered, and go on');
  let [from] = seats;
  for (const to of seats.slice(1)) {
    await migrate(vm1, from, to);
    await Promise.all(trains.map(pings => pings.more(50)));
    from = to;
  }
  heading('What the Internet has noticed of it');
  const most = MOST * (seats.length - 1);
  for (const [index, address] of [IPV4, IPV6].entries()) {
    const loss = await trains[index]?.stop();
    if (loss !== undefined) tellLoss(address, loss, most);
  }
  tellCourse(await stream.stop());
}

/** Shown too: for how long QEMU itself held the CPUs still, for which nobody answers. */
async function migrate(vm1: Vm, from: Seat, to: Seat): Promise<void> {
  const { name } = to.host;
  await step(from.shell, `virsh migrate ${FLAGS.join(' ')} vm1 qemu+tcp://${name}/system`);
  await vm1.moved(to.host);
  await step(
    to.shell,
    "virsh domjobinfo --completed --anystats vm1 | grep -E '^(Time elapsed|Total downtime):'",
    {
      output: [/^Total downtime: +\d+ +ms/m],
    },
  );
  await step(to.shell, 'hnet status --all', {
    output: [new RegExp(`^vm1 +running +${name} +123[.]45[.]90[.]116 .* ok$`, 'm')],
  });
}

function tellLoss(address: string, { sent, lost, gap, pause }: Loss, most: number): void {
  const counted = `${sent} pings to ${address}, ${lost} of them lost`;
  note(`${counted}; the longest silence was ${gap} ms (the sender itself stood still for up to ${pause} ms)`);
  insist(lost <= most + pause / INTERVAL, `${counted}: more than ${most}`);
}

function tellCourse({ sent, returned, wrong, gap, failure }: Course): void {
  const counted = `${sent} lines over one TCP connection, ${sent - returned} of them lost`;
  note(`${counted}; the longest silence was ${gap} ms`);
  insist(
    failure === null && returned === sent && wrong === 0,
    `${counted}, ${wrong} wrong, ended by ${failure}`,
  );
}
