import type { Hypervisor, HypervisorOptions } from '../hypervisor.ts';
import type { Lab } from '../lab.ts';
import { provideKernel, type Vm, type VmOptions } from '../vm.ts';
import { PATIENCE, until } from '../wait.ts';
import { gatewayBird, hostBird, type Wired } from './bird.ts';
import { attemptMove, type Move, move } from './migration.ts';

export interface ClusterOptions extends Pick<HypervisorOptions, 'archive' | 'bind' | 'copy' | 'release'> {
  /** How many hypervisors: h1, h2, … Default: 2. */
  readonly hosts?: number;
  /** What all hosts share, of both families. Default: the pools of the documentation. */
  readonly pools?: readonly string[];
  /** How the outside learns where an address is: each host's BIRD tells the provider's. */
  readonly announce?: 'bgp';
}

/** Those of the documentation but its /64, in which each host has an address of its own. */
const POOLS = ['123.45.90.112/29', '123.45.53.11', '123.45.53.12', '123.45.53.13', '2001:db8:12:4900::/56'];

/** Several hypervisors with a wire between them, between which libvirt moves VMs and BIRD carries hnet's routes. */
export class Cluster {
  readonly hosts: readonly Hypervisor[];
  readonly pools: readonly string[];
  readonly #lab: Lab;

  private constructor(lab: Lab, hosts: readonly Hypervisor[], pools: readonly string[]) {
    this.#lab = lab;
    this.hosts = hosts;
    this.pools = pools;
  }

  static async create(lab: Lab, options: ClusterOptions = {}): Promise<Cluster> {
    const { hosts: count = 2, pools = POOLS, archive, bind, copy, release } = options;
    const machine = Object.fromEntries(
      Object.entries({ archive, bind, copy, release }).filter(([, value]) => value !== undefined),
    );
    const names = Array.from({ length: count }, (_, index) => `h${index + 1}`);
    const hosts = await Promise.all(
      names.map(name => lab.hypervisor(name, { ...machine, wired: true, pools: [] })),
    );
    const cluster = new Cluster(lab, hosts, pools);
    await cluster.#startBirds();
    return cluster;
  }

  /** Defines a VM on a host, and puts what it boots on all of them. */
  async vm(host: Hypervisor, options: VmOptions): Promise<Vm> {
    await Promise.all(this.hosts.map(provideKernel));
    return host.vm(options);
  }

  /** Moves a VM, which must succeed. @param more flags for virsh beyond `--live --p2p --persistent --undefinesource` */
  migrate(vm: Vm, to: Hypervisor, ...more: readonly string[]): Promise<Move> {
    return move(vm, to, more);
  }

  /** Runs `virsh migrate` with these flags alone, and gives back what it did. */
  readonly attemptMigrate = attemptMove;

  async #startBirds(): Promise<void> {
    const sites = this.hosts.map(({ site }) => site).filter(isWired);
    const { gateway } = this.#lab;
    await gateway.write('/etc/bird/bird.conf', gatewayBird(sites, this.pools));
    await gateway.sh('mkdir -p /run/bird; bird -s /run/bird/bird.ctl -P /run/bird/bird.pid');
    await Promise.all(this.hosts.map((host, index) => this.#startBird(host, index, sites)));
  }

  async #startBird(hv: Hypervisor, index: number, sites: readonly Wired[]): Promise<void> {
    const host = sites[index];
    if (host === undefined) throw new Error(`Cannot start BIRD on "${hv.name}": it isn't on the wire`);
    const peers = sites.filter(site => site !== host);
    await hv.write('/etc/bird/bird.conf', hostBird({ host, peers, pools: this.pools, upstream: true }));
    await hv.run(['systemctl', 'restart', 'bird']);
    await until(() => established(hv, sites.length * 2), PATIENCE, `the sessions of BIRD on ${hv.name}`);
  }
}

const isWired = (site: { wire?: unknown }): site is Wired => site.wire !== undefined;

async function established(hv: Hypervisor, count: number): Promise<boolean> {
  const { stdout } = await hv.attempt(['birdc', 'show', 'protocols']);
  return stdout.split('\n').filter(line => / BGP .* Established/.test(line)).length === count;
}
