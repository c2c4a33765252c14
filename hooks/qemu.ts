/**
 * Loads the hook's program with the code that V8 compiled in an earlier run: to compile it each time takes a third of the
 * time in which Node itself starts. (Node 22 has a compile cache; this serves 20 too.)
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';

declare const HNET_BUILD: string;

const DIRECTORY = '/var/cache/hnet';
/** V8 refuses the code of another V8; only the name tells that it is of another program. */
const NAME = `${HNET_BUILD}-${process.version}-${process.arch}`;

const program = join(__dirname, 'program.cjs');
const script = new Script(`(function (require, module, exports) {${readFileSync(program, 'utf8')}\n})`, {
  filename: program,
  cachedData: cached(),
});
// At the end, when it also holds the functions that were needed.
if (script.cachedDataRejected !== false) process.once('exit', () => keep(script.createCachedData()));
script.runInThisContext()(require, module, exports);

function cached(): Buffer | undefined {
  try {
    return readFileSync(join(DIRECTORY, NAME));
  } catch {
    return undefined;
  }
}

/** Without a cache the hook is slower, and nothing else. */
function keep(data: Buffer): void {
  try {
    mkdirSync(DIRECTORY, { recursive: true, mode: 0o755 });
    const half = join(DIRECTORY, `${NAME}.${process.pid}`);
    writeFileSync(half, data, { mode: 0o644 });
    renameSync(half, join(DIRECTORY, NAME));
    const old = readdirSync(DIRECTORY).filter(name => !name.startsWith(HNET_BUILD));
    for (const name of old) rmSync(join(DIRECTORY, name), { force: true });
  } catch {
    // A full disk, or one that can only be read.
  }
}
