import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Hypervisor } from '../lab/hypervisor.ts';
import { run } from '../lab/run.ts';

const CACHE = fileURLToPath(new URL('../../.cache/lab', import.meta.url));
const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** What goes into an installation: what install.sh copies, itself, the lab's machine, and the node that runs it. */
const INGREDIENTS = `cd "$0"
{ find dist docs units hooks/qemu.sh install.sh ./*.md LICENSE test/lab/*.sh test/lab/packages-* test/system/layer.ts -type f -print0 |
  sort -z | xargs -0 sha256sum; node --version; echo "$@"; } | sha256sum | cut -c1-16`;

/**
 * What an installation puts on a hypervisor, as an archive of files. It is taken from the first hypervisor on which
 * install.sh was run, and laid into the others before they boot: they are hosts that were rebooted since the
 * installation. Its name tells what went into it, so that what is changed is installed anew.
 */
export async function layerFor(words: readonly string[]): Promise<string> {
  return `${CACHE}/installed-${await run(['sh', '-ec', INGREDIENTS, PROJECT, ...words])}.tar`;
}

/** Runs an installation, and keeps the files that it made. */
export async function keepLayer(hv: Hypervisor, layer: string, install: () => Promise<void>): Promise<void> {
  await hv.run(['touch', '/run/before']);
  await install();
  await mkdir(CACHE, { recursive: true });
  // Those of other states of the tree.
  await run(['find', CACHE, '-maxdepth', '1', '-name', 'installed-*', '-mmin', '+1440', '-delete']);
  const half = `${layer}.${process.pid}`;
  await hv.sh(`cd / && find etc usr -xdev ! -type d -newerct "$(stat -c %z /run/before)" -print0 >/run/made
    tar --create --file=/root/layer.tar --null --files-from=/run/made`);
  await run(['mv', `${hv.root}/root/layer.tar`, half]);
  await rename(half, layer).catch(async error => {
    await rm(half, { force: true });
    if (!existsSync(layer)) throw error;
  });
}
