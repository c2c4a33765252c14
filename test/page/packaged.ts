import { cp } from 'node:fs/promises';
import { basename } from 'node:path';
import { ensureDebs } from '../support/deb.ts';
import { files } from '../system/files.ts';
import { difference } from '../system/snapshot.ts';
import { POOLS, type Stage } from '../system/stage.ts';

const DIRECTORIES = ['/etc', '/usr', '/var/lib'];
/** Caches of dpkg's and of the linker. */
const NOT_OURS = / \/(var\/cache|etc\/ld\.so\.cache) /;

/**
 * Installs hnet and its page by Debian's packages, without a network, and sets hnet up as the other tests have it.
 * @returns the files that there were before
 */
export async function installPackages(stage: Stage): Promise<readonly string[]> {
  const debs = await ensureDebs();
  const before = await files(stage.hv, DIRECTORIES);
  const names: string[] = [];
  for (const deb of [debs.hnet, debs.page]) {
    names.push(`/opt/${basename(deb)}`);
    await cp(deb, `${stage.hv.root}/opt/${basename(deb)}`);
  }
  await apt(stage, 'install', ...names);
  await stage.ok('init', ...POOLS.flatMap(pool => ['--pool', pool]));
  await stage.withoutServices();
  return before;
}

/** Removes them again. @returns what is left of them */
export async function purgePackages(stage: Stage, before: readonly string[]): Promise<string[]> {
  await apt(stage, 'purge', 'hnet', 'cockpit-hnet');
  return difference(before, await files(stage.hv, DIRECTORIES)).filter(line => !NOT_OURS.test(line));
}

async function apt(stage: Stage, ...words: readonly string[]): Promise<void> {
  await stage.hv.run(['apt-get', '-y', '-q', '--no-install-recommends', ...words], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  });
}
