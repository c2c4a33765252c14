import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../lab/run.ts';

export const PROJECT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
/** The bundled hook, as it is installed. */
export const HOOK = join(PROJECT, 'dist/qemu.cjs');
/** What it loads. */
export const PROGRAM = join(PROJECT, 'dist/program.cjs');
/** The bundled command line. */
export const COMMAND = join(PROJECT, 'dist/hnet.cjs');
/** How a test's own program is run, of which there are many runs: all but the first are spared its compilation. */
export const NODE = [process.execPath, '-r', join(PROJECT, 'test/support/compiled.cjs')];

let built: Promise<void> | undefined;

/** Builds dist/ if it is missing or older than its sources: what is tested is what is installed. */
export function ensureBuilt(): Promise<void> {
  built ??= isStale() ? build() : Promise.resolve();
  return built;
}

async function build(): Promise<void> {
  await run(['sh', '-c', 'cd "$0" && exec "$1" build.mjs', PROJECT, process.execPath]);
}

function isStale(): boolean {
  const bundles = [HOOK, PROGRAM, COMMAND].map(changed);
  const sources = ['src', 'hooks', 'bin', 'cockpit', 'docs', 'units', 'packaging'].flatMap(name =>
    filesBelow(join(PROJECT, name)),
  );
  return Math.min(...bundles) < Math.max(...[...sources, join(PROJECT, 'build.mjs')].map(changed));
}

/** When a file was last written; a missing one is older than all others. */
const changed = (file: string): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

function filesBelow(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name));
}
