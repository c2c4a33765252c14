/** hnet's whole job on one host. */

import { fetchKernel } from '../kernel.ts';
import { Lab } from '../lab.ts';
import { INTERNET } from '../site.ts';
import type { Vm } from '../vm.ts';
import { PATIENCE } from '../wait.ts';
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
  wait,
} from './terminal.ts';
import { insistSame, traces } from './traces.ts';

const POOLS = ['123.45.90.112/29', '123.45.53.11', '123.45.53.12', '123.45.53.13', '2001:db8:12:48::/64'];
const HOST = '123.45.12.48';
const STATIC = '123.45.90.116';
const STATIC6 = '2001:db8:12:48::116';
/** What `hnet assign` chooses by itself: a subnet's first address is as good as any other. */
const FIRST_FREE = '123.45.90.112';
const NETWORK = 'ip -br link; ip route; ip -6 route show proto 104';

/** Runs something while a capture at the "Internet" notes who is said to ask: `IP 123.45.90.116 > 123.45.200.10`. */
async function watched(lab: Lab, work: () => Promise<unknown>, last: RegExp): Promise<string> {
  const command = "exec tcpdump -nlqt -i eth0 --immediate-mode 'icmp[icmptype] = icmp-echo'";
  const capture = lab.internet.start(['sh', '-c', command]);
  await capture.until(/listening on/, PATIENCE);
  await work();
  await capture.until(last, PATIENCE);
  const requests = (await capture.stop()).matchAll(/^IP (\S+) > \S+: ICMP echo request/gm);
  return [...requests].map(([, from]) => from).join(' ');
}

/** A VM asks the Internet, which must see the request come from `source`. */
async function askInternet(lab: Lab, vm: Vm, source: string): Promise<void> {
  const ping = () => step(shellIn(vm), `ping -c 1 -w 5 ${INTERNET}`, { output: [/ 0% packet loss/] });
  const seen = await watched(lab, ping, /echo request/);
  insist(seen === source, `the Internet saw the request come from ${seen}, not ${source}`);
  note(`the Internet saw it come from ${seen}`);
}

export async function oneHost(): Promise<void> {
  console.log(`hnet in a sandbox: a provider with its gateway, an "Internet" host (${INTERNET}), and a hypervisor
(${HOST}) to which the provider routes ${POOLS.join(', ')}.
None of it is visible to this machine, and none of it stays.`);

  heading('A hypervisor with systemd, libvirt and two virtual machines');
  await wait('a kernel for the virtual machines', fetchKernel);
  const lab = await Lab.create();
  const hypervisor = await wait('provider and hypervisor up', () =>
    lab.hypervisor('h1', { copy: { '/root/hnet': PROJECT } }),
  );
  const host = shellOf('host#', hypervisor, '/root/hnet');
  const internet = shellOf('internet#', lab.internet);
  const pristine = await traces(hypervisor);
  const nic = { type: 'network', source: 'default' } as const;
  const vm1 = await hypervisor.vm({ name: 'vm1', nic, append: `addr=${STATIC} gw=${HOST} addr6=${STATIC6}` });
  const vm2 = await hypervisor.vm({ name: 'vm2', nic });
  await step(host, 'virsh list --all', { output: [/vm1 +shut off/, /vm2 +shut off/] });

  await install(host);
  const installed = await traces(hypervisor);
  const network = await step(host, NETWORK, { output: [/^blackhole 123\.45\.90\.112\/29/m] });
  await publicAddress(lab, host, internet, vm1);
  await bootstrapLease(lab, host, vm2);
  await overview(host);
  await spoofing(lab, vm1);

  heading('Stop them: everything of theirs is gone');
  await step(host, 'virsh destroy vm1 && virsh destroy vm2');
  insist((await step(host, NETWORK)) === network, 'links and routes are not what they were before the start');
  await insistSame(installed, () => traces(hypervisor), 'something is left of the domains');
  note('links, routes, rules, sets and DHCP servers are as they were before the start');

  heading('Uninstall: the host is as it was');
  await step(host, './install.sh --uninstall --purge', { output: [/^hnet: removed$/m] });
  await step(host, NETWORK);
  await insistSame(pristine, () => traces(hypervisor), 'something is left of hnet');
  note('links, routes, rules, sets and DHCP servers are as they were before the installation');

  await wait('sandbox removed', async () => lab.remove());
  console.log(
    `\n${paint(32, '✓')} All as it should be, in ${seconds(begun)}. This machine has kept nothing of it but packages.`,
  );
}

async function install(host: Shell): Promise<void> {
  heading('Install hnet');
  const pools = POOLS.map(pool => `--pool ${pool}`).join(' ');
  await step(host, `./install.sh --yes ${pools}`, { output: [/^done/m] });
}

async function publicAddress(lab: Lab, host: Shell, internet: Shell, vm1: Vm): Promise<void> {
  heading(`vm1 gets ${STATIC} and ${STATIC6}, which it has configured statically`);
  await step(host, `hnet-assign vm1 ${STATIC} ${STATIC6}`, {
    output: [/^vm1: 123\.45\.90\.116 on br116/m, /^vm1: 2001:db8:12:48::116 on br116/m],
  });
  await step(host, 'virsh start vm1');
  await wait('vm1 has booted', () => vm1.ready());
  for (const address of [STATIC, STATIC6])
    await step(internet, `ping -c 3 -i 0.2 ${address}`, { output: [/ 0% packet loss/] });
  await askInternet(lab, vm1, STATIC);
}

async function bootstrapLease(lab: Lab, host: Shell, vm2: Vm): Promise<void> {
  heading('vm2 only does DHCP, as an installer does: a private lease, and the Internet by way of the host');
  await step(host, 'hnet assign vm2', {
    output: [/^vm2: 123\.45\.90\.112 on br112/m, /^vm2: 2001:db8:12:48::112 on br112/m],
  });
  await step(host, 'virsh start vm2');
  await wait('vm2 has booted', () => vm2.ready());
  await step(shellIn(vm2), 'ip -4 -o address show eth0', { output: [/172\.30\.112\.\d+\/24/] });
  await askInternet(lab, vm2, HOST);
}

async function overview(host: Shell): Promise<void> {
  heading('What the host says');
  await step(host, 'hnet status', {
    output: [
      /^vm1 +running +123\.45\.90\.116 +br116 .* ok$/m,
      /^vm1 +running +2001:db8:12:48::116 +br116 .* ok$/m,
      /^vm2 +running .* 172\.30\.112\.\d+ +open +ok$/m,
    ],
  });
  await step(host, 'hnet pool', {
    output: [/^123\.45\.90\.116 +up +vm1 +br116$/m, /^123\.45\.53\.13 +1 of 1 /m],
  });
}

/** The honest ping at the end proves that the capture would have shown the dishonest ones. */
async function spoofing(lab: Lab, vm1: Vm): Promise<void> {
  heading(`vm1 pretends to be vm2, ${FIRST_FREE}`);
  const lie = `ip address add ${FIRST_FREE}/32 dev eth0; ping -c 3 -A -W 1 -I ${FIRST_FREE} ${INTERNET}`;
  const ping = async () => {
    await step(shellIn(vm1), lie, { code: 1, output: [/100% packet loss/] });
    await step(shellIn(vm1), `ping -c 1 -w 5 -I ${STATIC} ${INTERNET}`, { output: [/ 0% packet loss/] });
  };
  const seen = await watched(lab, ping, new RegExp(`IP ${STATIC} `));
  insist(seen === STATIC, `a packet with a false source reached the Internet: ${seen}`);
  note(`the Internet saw one packet, from ${seen}`);
}
