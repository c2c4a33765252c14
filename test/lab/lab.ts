import { ARCHIVE_SETTING, openArchive } from './archive.ts';
import { Cluster, type ClusterOptions } from './cluster/cluster.ts';
import { breakGround, clear, sweep } from './ground.ts';
import { Host } from './host.ts';
import { Hypervisor, type HypervisorOptions } from './hypervisor.ts';
import type { Machine } from './machine.ts';
import { Provider } from './provider.ts';
import { type SiteOptions, siteOf } from './site.ts';

/** The directories of labs that stand, also of those that are being made. */
const open = new Set<string>();
let guarded = false;

/**
 * A provider with its gateway, an "Internet" host behind it, and as many hosts as a scenario asks for, all in
 * network namespaces that nothing else can see.
 */
export class Lab {
  /** What this lab has on the machine; the files in its net/ are network namespaces for `nsenter --net=`. */
  readonly dir: string;
  readonly provider: Provider;
  #archive: Promise<void> | undefined;

  private constructor(dir: string, provider: Provider) {
    this.dir = dir;
    this.provider = provider;
  }

  /** Also removes what labs of processes that are dead by now have left behind. */
  static async create(): Promise<Lab> {
    guard();
    sweep();
    const dir = breakGround();
    open.add(dir);
    try {
      return new Lab(dir, await Provider.create(dir));
    } catch (error) {
      tearDown(dir);
      throw error;
    }
  }

  /** 123.45.12.1 and fe80::1. */
  get gateway(): Machine {
    return this.provider.gateway;
  }

  /** 123.45.200.10 and 2001:db8:ffff::10. */
  get internet(): Machine {
    return this.provider.internet;
  }

  /** A host that is namespaces only: up in 0.1 s, the real kernel, but no systemd and no libvirt. */
  host(name: string, options: SiteOptions = {}): Promise<Host> {
    return Host.create(this.dir, this.provider, siteOf(name, options));
  }

  /** A host with a booted systemd and a libvirtd that runs real VMs. */
  hypervisor(name: string, options: HypervisorOptions = {}): Promise<Hypervisor> {
    return Hypervisor.create(this.dir, this.provider, siteOf(name, options), options);
  }

  /** Several hypervisors that VMs move between. A lab has one cluster at most. */
  cluster(options: ClusterOptions = {}): Promise<Cluster> {
    return Cluster.create(this, options);
  }

  /** Routes a prefix or an address to another host from now on, as a customer does in the provider's panel. */
  async route(pool: string, host: Host): Promise<void> {
    await this.provider.route(pool, host.site);
  }

  /** Lets a machine's apt reach the archive of its release, to install packages as any user does. */
  async openArchive(machine: Machine): Promise<void> {
    this.#archive ??= openArchive(this.dir, this.internet);
    await this.#archive;
    await machine.write('/etc/apt/apt.conf.d/80lab', ARCHIVE_SETTING);
  }

  /** Ends every process and removes every namespace and mount. */
  remove(): void {
    tearDown(this.dir);
  }
}

function tearDown(dir: string): void {
  clear(dir);
  open.delete(dir);
}

/** Removes open labs when the process leaves, whichever way it is still able to notice. */
function guard(): void {
  if (guarded) return;
  guarded = true;
  const removeAll = () => {
    for (const dir of open) tearDown(dir);
  };
  process.on('exit', removeAll);
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => process.exit(code));
  }
}
