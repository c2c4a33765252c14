import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attempt, run } from './run.ts';

/** The kernel and the modules a VM needs before it has a network card, in the order in which they load. */
export interface Kernel {
  readonly image: string;
  readonly modules: readonly string[];
}

const CACHE = fileURLToPath(new URL('../../.cache/lab', import.meta.url));
/** Debian's, then Ubuntu's: packages that depend on the newest kernel for virtual machines. */
const METAPACKAGES = ['linux-image-cloud-amd64', 'linux-image-virtual'];
const MODULES = [
  'virtio_ring',
  'virtio',
  'virtio_pci_legacy_dev',
  'virtio_pci_modern_dev',
  'virtio_pci',
  'failover',
  'net_failover',
  'virtio_net',
  'virtio_blk',
];
/** In the cache beside the modules: which were asked for. Those that are built in aren't there. */
const ASKED = 'asked';

/** Takes a kernel out of the distribution's package, once: nothing is installed, and later runs need no network. */
export async function fetchKernel(): Promise<Kernel> {
  if (process.arch !== 'x64')
    throw new Error(`Cannot boot a VM on "${process.arch}": the lab knows only x64`);
  const home = join(CACHE, 'kernel');
  if (!(await isComplete(home))) await fill(home);
  const files = await filesIn(home);
  const modules = MODULES.map(name => files.find(file => basename(file) === `${name}.ko`));
  return {
    image: join(home, 'vmlinuz'),
    modules: modules.filter(file => file !== undefined).map(file => join(home, file)),
  };
}

/** Fills a directory beside its final place, so that a broken download never counts and two labs may race. */
async function fill(home: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const work = await mkdtemp(join(CACHE, 'fetch-'));
  try {
    await download(work);
    const ready = join(work, 'ready');
    await mkdir(ready);
    await run(['sh', '-ec', COLLECT, work, ...MODULES]);
    await writeFile(join(ready, ASKED), MODULES.join('\n'));
    if (await isComplete(home)) return;
    // What an older lab has left, with fewer modules.
    if (existsSync(home)) await rename(home, join(work, 'old')).catch(() => undefined);
    await rename(ready, home).catch(async error => {
      if (!(await isComplete(home))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const isComplete = async (home: string): Promise<boolean> =>
  (await readFile(join(home, ASKED), 'utf8').catch(() => '')) === MODULES.join('\n');

/** $0 is the work directory, the arguments are modules; those that are missing are built into the kernel. */
const COLLECT = `
cd "$0"
for deb in *.deb; do dpkg-deb --extract "$deb" tree; done
for module; do
  find tree -name "$module.ko*" -exec cp -t ready -- {} +
done
find ready -name '*.xz' -exec xz --decompress {} +
find ready -name '*.zst' -exec zstd --quiet --decompress --rm {} +
cp "$(find tree/boot -name 'vmlinuz-*' | head -n1)" ready/vmlinuz
`;

async function download(work: string): Promise<void> {
  const depends = await Promise.all(METAPACKAGES.map(dependencies));
  const image = depends.flat().find(name => /^linux-image-\d/.test(name));
  if (image === undefined)
    throw new Error(`Cannot find a kernel: apt knows none of ${METAPACKAGES.join(', ')}`);
  const modules = (await dependencies(image)).filter(name => /^linux-modules-\d/.test(name));
  const fetch = 'cd "$0" && apt-get download -q -o APT::Sandbox::User=root "$@"';
  await run(['sh', '-c', fetch, work, image, ...modules], { limit: 300_000 });
}

async function dependencies(name: string): Promise<string[]> {
  const { stdout } = await attempt(['apt-cache', 'depends', '--important', name]);
  return [...stdout.matchAll(/Depends: (\S+)/g)].map(match => match[1] ?? '');
}

async function filesIn(dir: string): Promise<string[]> {
  return readdir(dir).catch(() => []);
}

/** A client for DHCPv6, which busybox lacks, with what it is linked to. */
const DHCLIENT = '/sbin/dhclient';
const LIBRARIES = `for file in $(ldd "$0" | grep -o '/[^ )]*'); do install -D "$file" "$1$file"; done`;

/** The scripts that are a VM's userland: name inside → name here. */
const SCRIPTS = {
  init: 'init.sh',
  shell: 'shell.sh',
  'udhcpc.sh': 'udhcpc.sh',
  'dhclient6.sh': 'dhclient6.sh',
} as const;
const script = (name: string): Buffer => readFileSync(new URL(name, import.meta.url));

/** An initramfs: busybox, the modules, the scripts. It is kept under a name that tells what went into it. */
export async function provideInitramfs(kernel: Kernel): Promise<string> {
  const hash = createHash('sha256');
  for (const name of Object.values(SCRIPTS)) hash.update(script(name));
  for (const file of ['/bin/busybox', DHCLIENT, ...kernel.modules])
    hash.update(`${file} ${statSync(file).size} ${statSync(file).mtimeMs}`);
  const target = join(CACHE, `initramfs-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(target)) return target;
  const half = `${target}.${randomUUID()}`;
  await packInitramfs(kernel, half);
  await rename(half, target);
  return target;
}

async function packInitramfs({ modules }: Kernel, target: string): Promise<void> {
  const tree = await mkdtemp(join(tmpdir(), 'hnet-initramfs-'));
  try {
    await run(['mkdir', '-p', join(tree, 'bin'), join(tree, 'modules')]);
    await run(['cp', '/bin/busybox', join(tree, 'bin')]);
    await run(['cp', ...modules, join(tree, 'modules')]);
    await run(['install', '-D', DHCLIENT, join(tree, DHCLIENT)]);
    await run(['sh', '-ec', LIBRARIES, DHCLIENT, tree]);
    await writeFile(join(tree, 'modules/order'), modules.map(file => basename(file)).join('\n'));
    for (const [name, source] of Object.entries(SCRIPTS))
      await writeFile(join(tree, name), script(source), { mode: 0o755 });
    await run(['sh', '-c', 'cd "$0" && find . | cpio --quiet -o -H newc >"$1"', tree, target]);
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}
