import type { Daemon } from '../daemon.ts';
import type { Hypervisor, HypervisorOptions } from '../hypervisor.ts';
import type { Lab } from '../lab.ts';
import { Program } from '../program.ts';
import { wireEnd } from '../site.ts';
import { provideKernel, type Vm, type VmOptions } from '../vm.ts';
import { PATIENCE, until } from '../wait.ts';
import { gatewayBird, hostBird, type Wired } from './bird.ts';
import { Etcd, type Place } from './etcd.ts';
import { COMMAND, Failover } from './failover.ts';
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
  /**
   * How the outside learns where an address is. `bgp`: each host's BIRD tells the provider's. `on-link`: the uplinks are on one
   * layer 2 with the gateway, which asks there who has it. `command`: the provider routes each pool to h1 until its API is told
   * otherwise, by /usr/local/sbin/move-address ADDRESS HOST. Default: bgp.
   */
  readonly announce?: Announce;
}

type Announce = 'bgp' | 'on-link' | 'command';

/** Not its /64: in that each host has an address of its own. */
const POOLS = ['123.45.90.112/29', '123.45.53.11', '123.45.53.12', '123.45.53.13', '2001:db8:12:4900::/56'];

interface Parts {
  readonly hosts: readonly Hypervisor[];
  readonly etcd: Etcd;
  readonly pools: readonly string[];
  readonly announce: Announce;
}

/** Several hypervisors with a wire between them, between which libvirt moves VMs and BIRD carries hnet's routes. */
export class Cluster {
  readonly hosts: readonly Hypervisor[];
  readonly etcd: Etcd;
  readonly pools: readonly string[];
  /** The provider's BIRD. */
  readonly router: Daemon;
  readonly announce: Announce;
  readonly #lab: Lab;
  #failover: Failover | undefined;

  private constructor(lab: Lab, { hosts, etcd, pools, announce }: Parts) {
    this.#lab = lab;
    this.hosts = hosts;
    this.etcd = etcd;
    this.pools = pools;
    this.announce = announce;
    this.router = new Program(lab.gateway, ['bird', '-f', '-s', '/run/bird.ctl']);
  }

  static async create(lab: Lab, options: ClusterOptions = {}): Promise<Cluster> {
    const { hosts: count = 2, etcds = 0, pools = POOLS, announce = 'bgp' } = options;
    const hosts = await Promise.all(
      numbered('h', count).map(name =>
        lab.hypervisor(name, { ...machineOf(options), ...uplinkFor(announce), wired: true, pools: [] }),
      ),
    );
    const names = typeof etcds === 'number' ? numbered('e', etcds) : etcds;
    const etcd = await Etcd.create(await Promise.all(names.map(name => placeFor(lab, hosts, name))));
    const cluster = new Cluster(lab, { hosts, etcd, pools, announce });
    await cluster.#deliver();
    await cluster.#startBirds();
    return cluster;
  }

  /**
   * Defines a VM on a host, and puts what it boots on all of them. A disk of its own needs room where it goes: libvirt fills
   * it with `cluster.migrate(vm, h2, '--copy-storage-all')`, but makes no file.
   */
  async vm(host: Hypervisor, options: VmOptions): Promise<Vm> {
    const [vm] = await Promise.all([host.vm(options), ...this.hosts.map(provideKernel)]);
    const { disk } = options;
    if (disk !== undefined)
      await Promise.all(this.hosts.map(each => each.run(['truncate', `--size=${disk}M`, vm.disk])));
    return vm;
  }

  /** Moves a VM, which must succeed. @param more flags for virsh beyond `--live --p2p --persistent --undefinesource` */
  migrate(vm: Vm, to: Hypervisor, ...more: readonly string[]): Promise<Move> {
    return move(vm, to, more);
  }

  /** Runs `virsh migrate` with these flags, by default those of `migrate`, and gives back what it did. */
  readonly attemptMigrate = attemptMove;

  /** Waits until a host's BIRD has its sessions with all other hosts and the provider if that takes any, in both families. */
  async meshed(host: Hypervisor): Promise<void> {
    const others = this.hosts.length - 1 + Number(this.announce === 'bgp');
    const all = async () => (await sessions(host)) === others * 2;
    await until(all, PATIENCE, `the sessions of BIRD on ${host.name}`);
  }

  /** The provider's API that routes a pool to another host, with `announce: 'command'`. */
  get failover(): Failover {
    if (this.#failover === undefined)
      throw new Error(`Cannot ask the provider's API: the cluster announces by ${this.announce}`);
    return this.#failover;
  }

  /** What the provider does by itself: it looks for the pools on the uplinks' wire, or routes them to the first host. */
  async #deliver(): Promise<void> {
    const [first] = this.hosts;
    if (this.announce === 'bgp' || first === undefined) return;
    for (const pool of this.pools) await this.#lab.route(pool, first);
    if (this.announce === 'on-link') return;
    this.#failover = await Failover.create(this.#lab, this.hosts, this.pools);
    for (const host of this.hosts) {
      await host.write('/usr/local/sbin/move-address', COMMAND);
      await host.run(['chmod', '755', '/usr/local/sbin/move-address']);
    }
  }

  async #startBirds(): Promise<void> {
    const sites = this.hosts.map(wired);
    const upstream = this.announce === 'bgp';
    if (upstream) {
      await this.#lab.gateway.write('/etc/bird/bird.conf', gatewayBird(sites, this.pools));
      await this.router.start();
    }
    await Promise.all(
      this.hosts.map(async hv => {
        const host = wired(hv);
        const peers = sites.filter(({ name }) => name !== host.name);
        const text = hostBird({ host, peers, pools: this.pools, upstream });
        await hv.write('/etc/bird/bird.conf', text);
        await hv.unit('bird').restart();
        await this.meshed(hv);
      }),
    );
  }
}

/** On the shared one the provider routes nothing to a host, not even where h1 is the one it's asked for. */
const uplinkFor = (announce: Announce): HypervisorOptions =>
  announce === 'on-link' ? { uplink: 'shared', ipv4: 'on-link', ipv6: 'on-link' } : {};

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
