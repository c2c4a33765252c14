import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '../lab/run.ts';
import { ensureBuilt, PROJECT } from './build.ts';

const CACHE = join(PROJECT, '.cache/lab');
/** In milliseconds. */
const LIMIT = 600_000;

/** What goes into the packages. */
const INGREDIENTS = `cd "$0"
{ find src bin hooks cockpit docs units packaging contrib debian build.mjs package.json package-lock.json ./*.md LICENSE -type f -print0 |
  sort -z | xargs -0 sha256sum; dpkg-query -W debhelper dpkg; } | sha256sum | cut -c1-16`;

/** Debian's packages of this tree, as files. */
export interface Debs {
  readonly hnet: string;
  readonly node: string;
  /** The page for Cockpit. */
  readonly page: string;
}

/** Builds them, not compressed, which would take longer than all else; once for each state of the tree. */
export async function ensureDebs(): Promise<Debs> {
  const kept = join(CACHE, `deb-${await run(['sh', '-ec', INGREDIENTS, PROJECT])}`);
  if (!existsSync(kept)) {
    await run(['sh', '-c', 'rm -rf "$0"/deb-*', CACHE]);
    const half = join(CACHE, `making-deb.${process.pid}`);
    await buildDebs(half);
    // Another run may have made the same meanwhile.
    await rename(half, kept).catch(async error => {
      await rm(half, { recursive: true, force: true });
      if (!existsSync(kept)) throw error;
    });
  }
  const names = (await run(['ls', kept])).split('\n');
  const find = (stem: string): string => join(kept, names.find(name => name.startsWith(stem)) ?? stem);
  return { hnet: find('hnet_'), node: find('hnet-node_'), page: find('cockpit-hnet_') };
}

/** Builds the packages of a tree into a directory. */
export async function buildDebs(directory: string, arch = 'amd64', project = PROJECT): Promise<void> {
  await ensureBuilt();
  await mkdir(directory, { recursive: true });
  await run(['sh', '-c', 'cd "$0" && exec "$1/packaging/deb.sh" "$2"', directory, project, arch], {
    env: { DPKG_DEB_COMPRESSOR_TYPE: 'none' },
    limit: LIMIT,
  });
}

/** The same package under another version. @returns its file */
export async function withVersion(deb: string, version: string): Promise<string> {
  const made = deb.replace(/\/([^/_]+)_[^_]+_/, `/versions/$1_${version}_`);
  await mkdir(dirname(made), { recursive: true });
  const tree = `${made}.tree`;
  await rm(tree, { recursive: true, force: true });
  await run(['dpkg-deb', '--raw-extract', deb, tree]);
  await run(['sed', '-i', `s/^Version: .*/Version: ${version}/`, join(tree, 'DEBIAN/control')]);
  await run(['dpkg-deb', '--root-owner-group', '-Znone', '--build', tree, made]);
  await rm(tree, { recursive: true, force: true });
  return made;
}
