import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';

const CACHE = '.cache/npm';

/** The folder of Koffi's binary for an architecture, in Node's word for it. */
export const koffiFor = arch => folderOf(`@koromix/koffi-linux-${arch}`);
/** The folder of a Node.js for it. */
export const nodeFor = arch => folderOf(`node-linux-${arch}`);

/**
 * The folder of a package. npm installs only what is for this machine: what is for another one is fetched from where
 * package-lock.json says, and must be what that says.
 */
function folderOf(name) {
  const installed = `node_modules/${name}`;
  if (existsSync(installed)) return installed;
  const { version, integrity } = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages[installed];
  const kept = `${CACHE}/${name.replace('/', '+')}-${version}`;
  if (!existsSync(kept)) fetchPackage(`${name}@${version}`, integrity, kept);
  return kept;
}

function fetchPackage(spec, integrity, folder) {
  const half = `${folder}.${process.pid}`;
  mkdirSync(half, { recursive: true });
  try {
    const argv = ['pack', '--ignore-scripts', '--silent', `--pack-destination=${half}`, spec];
    const archive = `${half}/${execFileSync('npm', argv, { encoding: 'utf8' }).trim()}`;
    const [algorithm, expected] = integrity.split('-');
    const found = createHash(algorithm).update(readFileSync(archive)).digest('base64');
    if (found !== expected) throw new Error(`${spec} is not what package-lock.json says`);
    execFileSync('tar', ['-xzf', archive, '-C', half, '--strip-components=1']);
    rmSync(archive);
    renameSync(half, folder);
  } finally {
    rmSync(half, { recursive: true, force: true });
  }
}
