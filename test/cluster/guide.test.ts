import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { Hypervisor } from '../lab/hypervisor.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { expectGood } from './seen.ts';
import { ClusterStage } from './stage.ts';
import { defineTraveller, followMoves, TRAVELS } from './travel.ts';

const PAGE = readFileSync(new URL('../../docs/cluster.md', import.meta.url), 'utf8');
const [, GUIDE = ''] = /^## From nothing to the first move\n([\s\S]*?)^## /m.exec(PAGE) ?? [];

/** The commands of a step as they stand there. @param title how it begins; the first has none */
function step(title: string): string {
  const part = GUIDE.split(/^(?=\d\. )/m).find(one => one.includes(title)) ?? '';
  const commands = /^ *```sh\n([\s\S]*?)^ *```$/m.exec(part)?.[1];
  if (commands === undefined) throw new Error(`docs/cluster.md has no commands under "${title}"`);
  return commands.replace(/^ {3}/gm, '');
}

describe('docs/cluster.md, from nothing to the first move', () => {
  const stage = new ClusterStage({ hosts: 3, announce: 'on-link', toml: () => '' });
  const servers = (): Hypervisor[] => [stage.host(1), stage.host(2)];

  const typed = async (host: Hypervisor, title: string): Promise<string> => {
    const number = step('Two servers').replace('N=1', `N=${host.name.slice(1)}`);
    // The lab's kernel may know no VLAN: the cable that the lab has takes its place.
    const commands = step(title).replace(/^ip link add link eth0 .*$/m, 'ip link set eth1 name eth0.4000');
    return host.sh(`set -e\n${number}\n${commands}`);
  };

  before(async () => {
    // The page begins with servers that have no wire, and no BIRD that anybody has configured.
    for (const host of stage.cluster.hosts)
      await host.sh(`ip link set eth1 down; ip address flush dev eth1; systemctl disable --now -q bird; : >/etc/bird/bird.conf
        sed -i '/ h[123]$/d' /etc/hosts`);
  });

  it('makes two servers a cluster', async () => {
    const { hosts } = stage.cluster;
    for (const host of hosts) await typed(host, 'The wire');
    for (const host of hosts) await typed(host, '**etcd**');
    const etcd = async () =>
      (await stage.host(1).attempt(['etcdctl', '--endpoints=http://10.9.0.1:2379', 'endpoint', 'health']))
        .code === 0;
    await until(etcd, PATIENCE, 'etcd');
    for (const host of servers()) expect(await typed(host, '**hnet**')).to.match(/is in the cluster "fra"/);
    await followMoves({ hosts: servers() });
    const met = async (host: Hypervisor) =>
      /^h1 [\s\S]*^h2 /m.test(await stage.ok(host, 'cluster', 'status'));
    for (const host of servers()) await until(() => met(host), PATIENCE, `${host.name} to know both`);
    for (const host of servers()) await typed(host, '**BIRD**');
    const sessions = async (host: Hypervisor) =>
      (await host.run(['birdc', 'show', 'protocols'])).match(/ BGP .*Established/g)?.length === 2;
    for (const host of servers()) await until(() => sessions(host), PATIENCE, `BIRD on ${host.name}`);
    for (const host of servers()) {
      const { stdout } = await stage.hnet(host, 'doctor', '--json');
      const { findings } = JSON.parse(stdout) as { findings: { what: string }[] };
      // The page says so of the first; the lab's libvirt speaks neither ssh nor TLS, and nothing sets its clocks.
      const own = findings
        .map(({ what }) => what)
        .filter(one => !/without encryption|libvirt of h\d|clock isn't/.test(one));
      expect(own, host.name).to.deep.equal([]);
    }
  });

  it('moves a VM with its addresses', async () => {
    const [h1, h2] = [stage.host(1), stage.host(2)];
    const vm = await defineTraveller(stage.cluster, stage.ok);
    await vm.start();
    await vm.ready();
    for (const address of Object.values(TRAVELS))
      expect(await stage.lab.internet.ping(address)).to.equal(true);
    await h1.sh(step('`hnet doctor` on both').replace('qemu+ssh', 'qemu+tcp'));
    await vm.moved(h2);
    for (const address of Object.values(TRAVELS))
      await until(() => stage.lab.internet.ping(address), PATIENCE, `an answer of ${address} on h2`);
    await expectGood(stage, servers());
  });
});
