import { fileURLToPath } from 'node:url';
import type { Host } from '../lab/host.ts';
import { CONFIG, member } from './members.ts';
import { ip } from '../lab/provider.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** Where a host keeps what the benchmark puts there; it vanishes with the host. */
export const RUN = '/run/hnet-bench';

interface Crowd {
  /** With a DHCP server for each: as it is in life, but 4,000 processes take half a minute to start. */
  readonly dhcp?: boolean;
  /** With a port in each bridge, where a domain's tap would be. */
  readonly ports?: boolean;
  /** `nft` or `legacy`, where this machine has both. */
  readonly backend?: Backend;
}

export type Backend = 'nft' | 'legacy';

/** Makes a host that holds some thousand addresses by hnet's own plans. */
export async function assemble(host: Host, count: number, crowd: Crowd = {}): Promise<void> {
  await host.write('/etc/hnet/hnet.toml', CONFIG);
  await host.run(['mkdir', '-p', RUN]);
  await host.run(['cp', `${PROJECT}dist/qemu.cjs`, `${RUN}/qemu.cjs`]);
  await chooseIptables(host, crowd.backend ?? 'nft');
  const dhcp = crowd.dhcp === true ? ['--dhcp'] : [];
  const command = ['node', '--import', 'tsx', 'test/bench/crowd.ts', '0', String(count), ...dhcp];
  await host.run(['sh', '-c', 'cd "$0" && exec "$@"', PROJECT, ...command], { limit: 600_000 });
  if (crowd.ports === true && count > 0) await plugIn(host, count);
}

/** Which of its two kinds iptables is, is a symbolic link below /etc, which each host of the lab has to itself. */
export async function chooseIptables(host: Host, backend: Backend): Promise<void> {
  for (const tool of ['iptables', 'iptables-save', 'iptables-restore']) {
    const [, suffix = ''] = tool.split('iptables');
    await host.run(['ln', '-sfn', `/usr/sbin/iptables-${backend}${suffix}`, `/etc/alternatives/${tool}`]);
  }
}

async function plugIn(host: Host, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, number) => number);
  await ip(
    host.netns,
    numbers.flatMap(number => [
      `link add tap${number} type veth peer name peer${number}`,
      `link set tap${number} master ${member(number).address.bridge} up`,
      `link set peer${number} up`,
    ]),
  );
}
