/**
 * Records what the tools of a release print on a host with a domain, for test/unit/recorded.test.ts. By hand, as root:
 * `HNET_RELEASE=13 npx tsx test/unit/recorded/record.ts`, and without HNET_RELEASE for the Debian of this machine.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { firewallOf } from '../../../src/host/choose-backend.ts';
import { Lab } from '../../lab/lab.ts';
import { IP_QUESTIONS, type Recorded, TOOLS } from './questions.ts';

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));
const lab = await Lab.create();
const hv = await lab.hypervisor('h1', { copy: { '/root/hnet': PROJECT } });
await hv.sh(`rm -rf /root/hnet/node_modules/esbuild
  /root/hnet/install.sh --yes --pool 123.45.90.112/29; systemctl disable --now hnet-watch hnet-sync`);
await hv.vm({ name: 'vm1', nic: { type: 'bridge', source: 'br116' }, boots: false });
await hv.sh('hnet assign vm1 123.45.90.116; hnet firewall vm1 default deny; hnet firewall vm1 allow tcp/22');
await hv.run([
  'iptables',
  '-A',
  'INPUT',
  '-p',
  'tcp',
  '--dport',
  '25',
  '-m',
  'comment',
  '--comment',
  'of others',
  '-j',
  'DROP',
]);
const recorded: Record<string, Recorded> = {};
for (const backend of ['iptables', 'nftables'] as const) {
  await hv.sh(
    `sed -i 's/^backend = .*/backend = "${backend}"/' /etc/hnet/hnet.toml; hnet sync; virsh start vm1`,
  );
  const { looks } = firewallOf(backend, []);
  const printed: string[] = [];
  for (const { argv, stdin } of looks.all.commands)
    printed.push((await hv.attempt(argv, { input: stdin ?? '' })).stdout);
  const ip: Record<string, string> = {};
  for (const [name, words] of Object.entries(IP_QUESTIONS))
    ip[name] = await hv.run(['ip', '-json', '-details', ...words]);
  const tools: Record<string, string> = {};
  for (const [name, argv] of Object.entries(TOOLS)) tools[name] = await hv.run(argv);
  recorded[backend] = { printed, ip, tools };
  await hv.sh('virsh destroy vm1');
}
const [major] = (await hv.read('/etc/debian_version')).split('.');
lab.remove();
writeFileSync(new URL(`debian-${major}.json`, import.meta.url), `${JSON.stringify(recorded, null, 2)}\n`);
