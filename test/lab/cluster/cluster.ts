import type { Daemon } from '../daemon.ts';
import type { Hypervisor, HypervisorOptions } from '../hypervisor.ts';
import type { Lab } from '../lab.ts';
import { Program } from '../program.ts';
import { wireEnd } from '../site.ts';
import { provideKernel, type Vm, type VmOptions } from '../vm.ts';
import { PATIENCE, until } from '../wait.ts';
import { gatewayBird, hostBird, type Wired } from './bird.ts';
import { Etcd, type Place } from './etcd.ts';
import { attemptMove, type Move, move } from './migration.ts';

export interface ClusterOptions extends Pick<HypervisorOptions, 'archive' | 'bind' | 'copy' | 'release'> {
  /** How many hypervisors: h1, h2, … Default: 2. */
  readonly hosts?: number;
  /**
   * Where etcd runs: how many machines of its own (e1, e2, e3), or their names, among which may be hosts: `['h1', 'h2', 'e1']`.
   * Default: nowhere.
   */
  readonly etcds?: number | readonly string[];
  /** What all hosts share, of both families. Default: the pools of the documentation but its /64. */
  readonly pools?: readonly string[];
  /** How the outside learns where an address is: each host's BIRD tells the provider's. */
  readonly announce?: 'bgp';
}

/** Not its /64: in that each host has an address of its own. */
const POOLS = ['123.45.90.112/29', '123.45.53.11', '123.45.53.12', '123.45.53.13', '2001:db8:12:4900::/56'];

/** Several hypervisors with a wire between them, between which libvirt moves VMs and BIRD carries hnet's routes. */
export class Cluster {
  readonly hosts: readonly Hypervisor[];
  readonly etcd: Etcd;
  readonly pools: readonly string[];
  /** The provider's BIRD. */
  readonly router: Daemon;
  readonly #lab: Lab;

  private constructor(lab: Lab, hosts: readonly Hypervisor[], etcd: Etcd, pools: readonly string[]) {
    this.#lab = lab;
    this.hosts = hosts;
    this.etcd = etcd;
    this.pools = pools;
    this.router = new Program(lab.gateway, ['bird', '-f', '-s', '/run/bird.ctl']);
  }

  static async create(lab: Lab, options: ClusterOptions = {}): Promise<Cluster> {
    const { hosts: count = 2, etcds = 0, pools = POOLS } = options;
    const hosts = await Promise.all(
      numbered('h', count).map(name =>
        lab.hypervisor(name, { ...machineOf(options), wired: true, pools: [] }),
      ),
    );
    const names = typeof etcds === 'number' ? numbered('e', etcds) : etcds;
    const etcd = await Etcd.create(await Promise.all(names.map(name => placeFor(lab, hosts, name))));
    const cluster = new Cluster(lab, hosts, etcd, pools);
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

  /** Runs `virsh migrate` with these flags, by default those of `migrate`, and gives back what it did. */
  readonly attemptMigrate = attemptMove;

  /** Waits until a host's BIRD has its sessions with all other hosts and the provider, in both families. */
  async meshed(host: Hypervisor): Promise<void> {
    const count = this.hosts.length * 2;
    await until(
      async () => (await sessions(host)) === count,
      PATIENCE,
      `the sessions of BIRD on ${host.name}`,
    );
  }

  async #startBirds(): Promise<void> {
    const sites = this.hosts.map(wired);
    await this.#lab.gateway.write('/etc/bird/bird.conf', gatewayBird(sites, this.pools));
    await this.router.start();
    await Promise.all(
      this.hosts.map(async hv => {
        const host = wired(hv);
        const peers = sites.filter(({ name }) => name !== host.name);
        const text = hostBird({ host, peers, pools: this.pools, upstream: true });
        await hv.write('/etc/bird/bird.conf', text);
        await hv.unit('bird').restart();
        await this.meshed(hv);
      }),
    );
  }
}

const numbered = (letter: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);

/** What of the options each of the hosts is made with. */
function machineOf({ archive, bind, copy, release }: ClusterOptions): HypervisorOptions {
  return {
    ...(archive !== undefined && { archive }),
    ...(bind !== undefined && { bind }),
    ...(copy !== undefined && { copy }),
    ...(release !== undefined && { release }),
  };
}

function wired({ site }: Hypervisor): Wired {
  const { wire } = site;
  if (wire === undefined) throw new Error(`Cannot make "${site.name}" a host of a cluster: it has no wire`);
  return { ...site, wire };
}

/** A host by its name, or a machine of its own on the wire: e1 is 10.9.0.101. */
async function placeFor(lab: Lab, hosts: readonly Hypervisor[], name: string): Promise<Place> {
  const host = hosts.find(each => each.name === name);
  if (host !== undefined) return { machine: host, wire: wired(host).wire };
  const number = /^e([1-9])$/.exec(name)?.[1];
  if (number === undefined)
    throw new Error(`Cannot place etcd on "${name}": it is none of the hosts, nor e1 to e9`);
  const wire = wireEnd(100 + Number(number));
  return { machine: await lab.provider.wiredMachine(name, wire), wire };
}

async function sessions(hv: Hypervisor): Promise<number> {
  const { stdout } = await hv.attempt(['birdc', 'show', 'protocols']);
  return stdout.split('\n').filter(line => / BGP .* Established/.test(line)).length;
}
