import { fileURLToPath } from 'node:url';
import { ip } from '../lab/cable.ts';
import type { Host } from '../lab/host.ts';
import { CONFIG, member } from './members.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** Where a host keeps what the benchmark puts there; it vanishes with the host. */
export const RUN = '/run/hnet-bench';

/** The filter by iptables, of either kind, or by nftables alone. */
export type Backend = 'iptables-nft' | 'iptables-legacy' | 'nftables';

/** Makes a host that holds some thousand addresses by hnet's own plans, but for their DHCP servers. */
export async function assemble(host: Host, count: number, backend: Backend = 'iptables-nft'): Promise<void> {
  const [name] = backend.split('-');
  await host.write('/etc/hnet/hnet.toml', `${CONFIG}[firewall]\nbackend = "${name}"\n`);
  await host.run(['mkdir', '-p', RUN]);
  await host.run(['cp', `${PROJECT}dist/qemu.cjs`, `${PROJECT}dist/program.cjs`, RUN]);
  if (backend !== 'nftables') await chooseIptables(host, backend);
  await crowd(host, String(count));
}

/** Starts the DHCP servers of such a host. */
export const serve = (host: Host, count: number): Promise<void> => crowd(host, String(count), '--dhcp');

async function crowd(host: Host, ...argv: readonly string[]): Promise<void> {
  const command = ['node', '--import', 'tsx', 'test/bench/crowd.ts', ...argv];
  await host.run(['sh', '-c', 'cd "$0" && exec "$@"', PROJECT, ...command], { limit: 600_000 });
}

/** Which of its two kinds iptables is, is a symbolic link below /etc, which each host of the lab has to itself. */
export async function chooseIptables(host: Host, kind: Exclude<Backend, 'nftables'>): Promise<void> {
  for (const tool of ['iptables', 'iptables-save', 'iptables-restore']) {
    const [, suffix = ''] = tool.split('iptables');
    await host.run(['ln', '-sfn', `/usr/sbin/${kind}${suffix}`, `/etc/alternatives/${tool}`]);
  }
}

/**
 * A port in each bridge, where a domain's tap would be. Its other end is another machine's: here it would double what the
 * kernel walks through whenever a link goes down, which is all IPv6 routes of the host, three for each interface.
 */
export async function plugIn(host: Host, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, number) => number);
  const guests = await host.guest({ name: 'guests' });
  await ip(
    host.netns,
    numbers.flatMap(number => [
      `link add tap${number} type veth peer name peer${number} netns ${guests.netns}`,
      `link set tap${number} master ${member(number).address.bridge} up`,
    ]),
  );
  await ip(
    guests.netns,
    numbers.map(number => `link set peer${number} addrgenmode none up`),
  );
}
