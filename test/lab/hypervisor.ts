import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeNetns } from './hold.ts';
import { Host } from './host.ts';
import { type Booted, boot, type Chassis, layChassis, overlay, removeChassis } from './nspawn.ts';
import { freezeAll, isAlive, thawAll } from './processes.ts';
import type { Cable, Provider } from './provider.ts';
import { chosenRelease, provideRoot, type Release } from './root.ts';
import { run } from './run.ts';
import type { Site, SiteOptions } from './site.ts';
import { Unit } from './unit.ts';
import { defineVm, type Vm, type VmOptions } from './vm.ts';
import { PATIENCE, until } from './wait.ts';

export interface HypervisorOptions extends SiteOptions {
  /** Path inside → directory outside, as an overlay, so at no cost: what the machine writes there stays its own. */
  readonly copy?: Readonly<Record<string, string>>;
  /** Path inside → directory outside, the very same directory: quick, but writes reach the outer machine. */
  readonly bind?: Readonly<Record<string, string>>;
  /** The Debian that it is; unless given, that of this run, which may be the outer machine's own root. */
  readonly release?: Release;
  /** With a release: a plain system, without libvirt or anything else that hnet needs. See {@link Hypervisor.adoptLibvirt}. */
  readonly stock?: boolean;
  /** A tar file of the outer machine's, laid over the root before the first boot. */
  readonly archive?: string;
}

interface Frame {
  readonly chassis: Chassis;
  readonly binds: readonly string[];
}

const script = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
const MACHINE = script('hypervisor.sh');
const LIBVIRT = script('libvirt.sh');
const PEER = script('peer.sh');

/** A whole machine with systemd and libvirtd, in a sandbox: an overlay of the outer machine's root, or of a release's. */
export class Hypervisor extends Host {
  readonly #chassis: Chassis;
  readonly #binds: readonly string[];
  #booted: Booted;
  #vms = 0;

  private constructor(provider: Provider, site: Site, netns: string, frame: Frame, booted: Booted) {
    super(frame.chassis.dir, provider, site, netns, booted.leader);
    this.#chassis = frame.chassis;
    this.#binds = frame.binds;
    this.#booted = booted;
  }

  static override async create(
    dir: string,
    provider: Provider,
    site: Site,
    options: HypervisorOptions = {},
  ): Promise<Hypervisor> {
    const netns = await makeNetns(dir, site.name);
    await provider.connect(site, netns);
    const chassis = await layChassis(dir, site.name, await lowerOf(options));
    await prepare(chassis, options.copy ?? {});
    if (site.wire !== undefined) await run(['chroot', chassis.root, 'sh', '-s'], { input: PEER });
    if (options.archive !== undefined)
      await run(['tar', '--extract', `--file=${options.archive}`, `--directory=${chassis.root}`]);
    const binds = Object.entries(options.bind ?? {}).map(([inside, outside]) => `${outside}:${inside}`);
    const booted = await boot(chassis, netns, binds);
    const hypervisor = new Hypervisor(provider, site, netns, { chassis, binds }, booted);
    await hypervisor.#up();
    return hypervisor;
  }

  /** The machine's file system as the outer machine sees it. Mind absolute symlinks: they lead outside. */
  get root(): string {
    return this.#chassis.root;
  }

  /** Lets the libvirt that was installed on a stock system work in the lab, and starts it. */
  async adoptLibvirt(): Promise<void> {
    await this.run(['sh', '-s', uuidOf(this.name)], { input: LIBVIRT });
    await this.run(['systemctl', 'restart', 'libvirtd']);
    await this.#libvirtAnswers();
  }

  /** Defines a VM; it isn't started. */
  vm(options: VmOptions): Promise<Vm> {
    this.#vms += 1;
    return defineVm(this, this.#vms, options);
  }

  virsh(...argv: readonly string[]): Promise<string> {
    return this.run(['virsh', '-q', ...argv]);
  }

  /** A true reboot: everything in the kernel is gone (guests' ports too), and only files remain. */
  async reboot(): Promise<void> {
    await this.powerOff();
    await this.powerOn();
  }

  /** An orderly shutdown; what is still there afterwards is killed. */
  async powerOff(): Promise<void> {
    await this.attempt(['systemctl', 'poweroff']);
    await until(() => !isAlive(this.#booted.supervisor), PATIENCE, `the shutdown of ${this.name}`);
    await this.#discard();
  }

  /** The power fails: every process ends at once. */
  async crash(): Promise<void> {
    await this.#discard();
  }

  async powerOn(): Promise<void> {
    await makeNetns(this.dir, this.name);
    await this.provider.connect(this.site, this.netns);
    this.#booted = await boot(this.#chassis, this.netns, this.#binds);
    this.succeed(this.#booted.leader);
    await this.#up();
  }

  /**
   * It hangs: none of its processes runs, and its cables, where it's wired, carry nothing, though both ends see a carrier. A
   * command that a scenario runs in it meanwhile runs all the same.
   */
  async freeze(): Promise<void> {
    if (this.site.wire !== undefined) await this.provider.cut(this.name);
    freezeAll(this.netns);
  }

  /** It goes on where it stood, and knows nothing of the time between. */
  async go(): Promise<void> {
    await until(() => thawAll(this.netns), PATIENCE, `${this.name} to go on`);
    if (this.site.wire !== undefined) await this.provider.mend(this.name);
  }

  /** Its cables carry nothing until they are mended. Unless told, all of them. */
  cut(...cables: readonly Cable[]): Promise<void> {
    return this.provider.cut(this.name, ...some(cables));
  }

  mend(...cables: readonly Cable[]): Promise<void> {
    return this.provider.mend(this.name, ...some(cables));
  }

  /** A service of its systemd's. */
  unit(name: string): Unit {
    return new Unit(this, name);
  }

  override async remove(): Promise<void> {
    await this.#discard();
    removeChassis(this.#chassis);
  }

  async #discard(): Promise<void> {
    await super.remove();
    await until(() => !isAlive(this.#booted.supervisor), PATIENCE, `the end of ${this.name}`);
  }

  async #up(): Promise<void> {
    const state = async () => (await this.attempt(['systemctl', 'is-system-running'])).stdout;
    await until(async () => /running|degraded/.test(await state()), PATIENCE, `${this.name} to boot`);
    if (hasLibvirt(this.root)) await this.#libvirtAnswers();
  }

  async #libvirtAnswers(): Promise<void> {
    const listed = async () => (await this.attempt(['virsh', '-q', 'list'])).code === 0;
    await until(listed, PATIENCE, `libvirtd in ${this.name}`);
  }
}

const some = (cables: readonly Cable[]): [] | [readonly Cable[]] => (cables.length === 0 ? [] : [cables]);

/** What a machine is laid over. */
async function lowerOf({ release = chosenRelease(), stock = false }: HypervisorOptions): Promise<string> {
  if (release === undefined) return '/';
  return provideRoot(release, stock ? 'stock' : 'lab');
}

async function prepare({ root, name }: Chassis, copy: Readonly<Record<string, string>>): Promise<void> {
  await run(['chroot', root, 'sh', '-s', name, idOf(name)], { input: MACHINE });
  if (hasLibvirt(root)) await run(['chroot', root, 'sh', '-s', uuidOf(name)], { input: LIBVIRT });
  for (const [index, [inside, outside]] of Object.entries(copy).entries()) {
    await overlay(outside, join(dirname(root), `copy${index}`), `${root}${inside}`);
  }
}

/** A stock system has it only once it was installed. */
const hasLibvirt = (root: string): boolean => existsSync(join(root, 'usr/sbin/libvirtd'));

const idOf = (name: string): string => createHash('md5').update(`hnet-lab ${name}`).digest('hex');

const uuidOf = (name: string): string =>
  idOf(name).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
