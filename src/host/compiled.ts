/**
 * Loads a program with the code that V8 compiled in an earlier run: to compile it each time takes a third of the time in
 * which Node itself starts. (Node 22 has a compile cache; this serves 20 too.)
 *
 * V8 doesn't check that code for damage: one wrong bit, and it crashes, hangs or computes something else. So it is
 * kept twice in one file, and what isn't twice the same isn't used: that is the cheapest proof there is.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { ifPossible } from '../model/refusal.ts';
import { openNew, readBytesIfThere } from './files.ts';

/** The gate deletes it where Node has crashed (hooks/qemu.sh). */
const DIRECTORY = '/var/cache/hnet';

/**
 * Runs a CommonJS program.
 * @param file its whole path
 * @param build a digest of the program: of that, V8 compares no more than the length
 * @param require resolves what the program itself loads
 */
export function runCompiled(file: string, build: string, require: NodeJS.Require): void {
  const program = /([^/]*)\.cjs$/.exec(file)?.[1] ?? '';
  const name = `${program}-${build}-${interpreter()}`;
  const kept = read(join(DIRECTORY, name));
  const script = new Script(`(function (require, __filename) {${readFileSync(file, 'utf8')}\n})`, {
    filename: file,
    ...(kept && { cachedData: kept }),
  });
  // At the end, when it also holds the functions that were needed.
  if (script.cachedDataRejected !== false)
    process.once('exit', () => keep(name, `${program}-`, script.createCachedData()));
  script.runInThisContext()(require, file);
}

/** V8 refuses the code of another version. A distribution's rebuild has the same version, but is another file. */
function interpreter(): string {
  const { ino, size, mtimeNs } = statSync(process.execPath, { bigint: true });
  return `${ino}-${size}-${mtimeNs}`;
}

function read(path: string): Buffer | undefined {
  const twice = ifPossible(() => readBytesIfThere(path));
  if (twice === undefined) return undefined;
  const half = twice.length >> 1;
  const once = twice.subarray(0, half);
  return half > 0 && once.equals(twice.subarray(half)) ? once : undefined;
}

/** Without it the program starts more slowly, and nothing else. @param family what the names of its other builds begin with */
function keep(name: string, family: string, data: Buffer): void {
  try {
    mkdirSync(DIRECTORY, { recursive: true, mode: 0o700 });
    const half = join(DIRECTORY, `${name}.${process.pid}`);
    const file = openNew(half);
    writeSync(file, Buffer.concat([data, data]));
    // Otherwise a loss of power may leave the name with half of what it names.
    fsyncSync(file);
    closeSync(file);
    renameSync(half, join(DIRECTORY, name));
    const others = readdirSync(DIRECTORY).filter(one => one.startsWith(family) && one !== name);
    for (const other of others) rmSync(join(DIRECTORY, other), { force: true });
  } catch {
    // A full disk, or one that can only be read.
  }
}
