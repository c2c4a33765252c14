import { readFile, rm, writeFile } from 'node:fs/promises';
import { type DomainParts, domainXml, type Nic } from './domain.ts';
import type { Hypervisor } from './hypervisor.ts';
import { fetchKernel, provideInitramfs } from './kernel.ts';
import { expectSuccess, type Outcome, run } from './run.ts';
import { ask } from './serial.ts';
import { PATIENCE, until } from './wait.ts';

export interface VmOptions {
  readonly name: string;
  /** Of the first network card. */
  readonly mac?: string;
  /** One network card, on a bridge that needs to exist only when the VM starts. Default: bridge `virbr0`. */
  readonly nic?: Nic;
  /** Several network cards, or none. */
  readonly nics?: readonly Nic[];
  /** Words for the guest (see init.sh), without their `hnet.`: `addr=123.45.90.116 gw=123.45.12.48`. Default: DHCP. */
  readonly append?: string;
  /** XML for inside `<metadata>`. */
  readonly metadata?: string;
  /**
   * Whether a guest boots in it. One that doesn't costs a tenth of the processor time, and serves where nobody talks to
   * the guest: its interfaces are there, and it can be started, saved and destroyed. Or the ROM of its network card boots
   * what it is told to. Default: it boots.
   */
  readonly boots?: boolean | 'network';
  /** An empty disk of so many MiB, which it sees as /dev/vda. Default: none. */
  readonly disk?: number;
}

/** Where a VM's files lie in the hypervisor: libvirt's own directory, where QEMU may make a socket. */
const HOME = '/var/lib/libvirt/qemu';
const KERNEL = `${HOME}/lab-vmlinuz`;
const INITRAMFS = `${HOME}/lab-initramfs`;
/** What a guest says once it takes commands. */
const SHELL = /HNET-SHELL/;

/** A real virtual machine: QEMU without KVM, a Debian kernel, and busybox. Up two seconds after its start. */
export class Vm {
  readonly name: string;
  readonly #path: string;
  #hypervisor: Hypervisor;
  #listens = false;

  /** @param path of its files in the hypervisor, without what tells them apart */
  constructor(hypervisor: Hypervisor, name: string, path: string) {
    this.#hypervisor = hypervisor;
    this.name = name;
    this.#path = path;
  }

  /** The path of its disk, on whichever host it is. */
  get disk(): string {
    return `${this.#path}.img`;
  }

  /** Where it runs, or would. */
  get hypervisor(): Hypervisor {
    return this.#hypervisor;
  }

  /** For who has moved it: from now on it's looked for there. What its console says there begins anew. */
  async moved(to: Hypervisor): Promise<void> {
    this.#listens ||= SHELL.test(await this.console());
    this.#hypervisor = to;
  }

  get #files(): string {
    return `${this.#hypervisor.root}${this.#path}`;
  }

  /** `virsh start`: returns when the CPUs run; see `ready`. */
  async start(): Promise<void> {
    await this.forget();
    this.#listens = false;
    await this.#hypervisor.virsh('start', '--', this.name);
  }

  async destroy(): Promise<void> {
    await this.#hypervisor.virsh('destroy', '--', this.name);
  }

  /** Drops what the console said, so that a wait sees only what comes after. `start` does it. */
  async forget(): Promise<void> {
    await rm(`${this.#files}.console`, { force: true });
  }

  /** Everything the guest has printed since its start. */
  async console(): Promise<string> {
    return readFile(`${this.#files}.console`, 'utf8').catch(() => '');
  }

  /** Waits for the console to match and gives back the match; an error shows the console's end. */
  async waitConsole(pattern: RegExp, limit = PATIENCE): Promise<RegExpExecArray> {
    try {
      return await until(
        async () => pattern.exec(await this.console()),
        limit,
        `${pattern} from ${this.name}`,
      );
    } catch (error) {
      const tail = (await this.console()).split('\n').slice(-15).join('\n');
      throw new Error(`${(error as Error).message}; its console ends with:\n${tail}`);
    }
  }

  /** Waits until the guest has configured its network, and gives back what it says about it. */
  async ready(limit = PATIENCE): Promise<string> {
    const [, said = ''] = await this.waitConsole(/HNET-READY (.*?) *\r?\n/, limit);
    return said;
  }

  /** Runs a shell script in the guest and gives back what it did; waits for the guest to be up. */
  async attempt(script: string, limit = PATIENCE): Promise<Outcome> {
    if (!this.#listens) await this.waitConsole(SHELL);
    this.#listens = true;
    return ask(`${this.#files}.sock`, script, limit);
  }

  /** Runs a shell script that must succeed in the guest, and gives back its output. */
  async sh(script: string, limit = PATIENCE): Promise<string> {
    return expectSuccess([`${this.name}:`, script], await this.attempt(script, limit));
  }

  async ping(address: string): Promise<boolean> {
    return (await this.attempt(`ping -c 5 -A -w 2 ${address}`)).code === 0;
  }
}

/** Defines the domain; its files are numbered, because a domain's name may be anything, and no other host has the same. */
export async function defineVm(hypervisor: Hypervisor, number: number, options: VmOptions): Promise<Vm> {
  const boots = options.boots ?? true;
  if (boots !== false) await provideKernel(hypervisor);
  const files = `${HOME}/lab-${hypervisor.name}-${number}`;
  const parts: DomainParts = {
    name: options.name,
    ...(boots === 'network' && { boot: boots }),
    ...(boots === true && {
      boot: { kernel: KERNEL, initramfs: INITRAMFS, commandLine: commandLine(options.append ?? '') },
    }),
    ...(options.disk !== undefined && { disk: await makeDisk(hypervisor, files, options.disk) }),
    console: `${files}.console`,
    socket: `${files}.sock`,
    nics: nicsOf(options),
    metadata: options.metadata ?? '',
  };
  await writeFile(`${hypervisor.root}${files}.xml`, domainXml(parts));
  await hypervisor.virsh('define', `${files}.xml`);
  return new Vm(hypervisor, options.name, files);
}

async function makeDisk(hypervisor: Hypervisor, files: string, size: number): Promise<string> {
  const path = `${files}.img`;
  await hypervisor.run(['truncate', `--size=${size}M`, path]);
  return path;
}

function nicsOf({ nic, nics, mac }: VmOptions): readonly Nic[] {
  const [first, ...rest] = nics ?? [nic ?? { type: 'bridge', source: 'virbr0' }];
  if (first === undefined) return [];
  return [mac === undefined ? first : { ...first, mac }, ...rest];
}

/** What a kernel may leave undone in a sandbox: a quarter of the time that it takes to boot under emulation. */
const QUICK = [
  'console=ttyS0 loglevel=4 panic=-1 mitigations=off random.trust_cpu=on tsc=reliable nokaslr',
  'apparmor=0 audit=0 cryptomgr.notests noreplace-paravirt noreplace-smp',
];

/** What the lab's kernel is started with. */
export function commandLine(append: string): string {
  const words = append.split(/\s+/).filter(Boolean);
  if (words.some(word => word.startsWith('addr')) && !words.some(word => word.startsWith('mode='))) {
    words.unshift('mode=static');
  }
  return [...QUICK, ...words.map(word => `hnet.${word}`)].join(' ');
}

const provided = new WeakMap<Hypervisor, Promise<void>>();

/** What VMs boot. Once per hypervisor, and before its first VM only: most scenarios need none. */
export function provideKernel(hypervisor: Hypervisor): Promise<void> {
  const already = provided.get(hypervisor) ?? copyKernel(hypervisor.root);
  provided.set(hypervisor, already);
  return already;
}

async function copyKernel(root: string): Promise<void> {
  const kernel = await fetchKernel();
  await run(['cp', kernel.image, `${root}${KERNEL}`]);
  await run(['cp', await provideInitramfs(kernel), `${root}${INITRAMFS}`]);
}
