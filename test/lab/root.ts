import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './run.ts';

/** Debian's releases, by number. */
const CODENAMES = { 12: 'bookworm', 13: 'trixie', 14: 'forky' } as const;
export type Release = keyof typeof CODENAMES;

/** `lab` has all that a hypervisor of the lab needs; `stock` is a plain system that hnet's needs aren't installed on. */
export type Kind = 'lab' | 'stock';

const CACHE = fileURLToPath(new URL('../../.cache/lab', import.meta.url));
const SCRIPT = readFileSync(new URL('root.sh', import.meta.url), 'utf8');
const LISTS: Readonly<Record<Kind, readonly string[]>> = {
  stock: packagesIn('packages-stock'),
  lab: [...packagesIn('packages-stock'), ...packagesIn('packages-inside')],
};
/** In milliseconds: a minute on a quiet machine with a near archive. */
const LIMIT = 900_000;

/**
 * The directory of a release's root, made if it isn't there. It is kept in .cache/lab under a name that tells what went
 * into it, and never written to: machines lie over it. Several processes may ask at once; all but one wait.
 */
export async function provideRoot(release: Release, kind: Kind = 'lab'): Promise<string> {
  const root = rootFor(release, kind);
  if (existsSync(root)) return root;
  await mkdir(CACHE, { recursive: true });
  // Mounts of its own: whatever a killed attempt had mounted in the half-made root is gone with it.
  const argv = ['unshare', '--mount', 'sh', '-c', `[ -e "$1" ] || { ${SCRIPT}\n}`, 'sh'];
  const words = [root, CODENAMES[release], LISTS[kind].join(',')];
  await run(['flock', `${root}.lock`, ...argv, ...words], { limit: LIMIT, env: archive() });
  await removeOlder(root);
  return root;
}

function rootFor(release: Release, kind: Kind): string {
  const made = createHash('sha256').update(SCRIPT).update(LISTS[kind].join(' '));
  return join(CACHE, `${prefix(release, kind)}${made.digest('hex').slice(0, 12)}`);
}

const prefix = (release: Release, kind: Kind): string => `root-${release}-${kind}-`;

/** Those of other lists of packages, which nobody will ask for again; a machine that runs keeps what it has open. */
async function removeOlder(root: string): Promise<void> {
  const name = /[^/]+$/.exec(root)?.[0] ?? '';
  const stem = name.slice(0, name.lastIndexOf('-') + 1);
  const older = (await readdir(CACHE)).filter(each => each.startsWith(stem) && !each.startsWith(name));
  for (const each of older) await rm(join(CACHE, each), { recursive: true, force: true });
}

/** The release that this run's machines are made from; none means this machine's own root. */
export function chosenRelease(): Release | undefined {
  const said = process.env['HNET_RELEASE'];
  return said === undefined || said === '' ? undefined : parseRelease(said);
}

function parseRelease(said: string): Release {
  const release = Number(said);
  if (isRelease(release)) return release;
  throw new Error(`Cannot make a Debian "${said}": the lab knows ${Object.keys(CODENAMES).join(', ')}`);
}

function isRelease(number: number): number is Release {
  return number in CODENAMES;
}

function archive(): Readonly<Record<string, string>> {
  const named = process.env['HNET_ARCHIVE'];
  return named === undefined ? {} : { HNET_ARCHIVE: named };
}

function packagesIn(list: string): string[] {
  const text = readFileSync(new URL(list, import.meta.url), 'utf8');
  return text.replaceAll(/#.*/g, '').split(/\s+/).filter(Boolean);
}

/** `tsx test/lab/root.ts 13`: for a run that will need it later. */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const word of process.argv.slice(2)) console.log(await provideRoot(parseRelease(word)));
}
