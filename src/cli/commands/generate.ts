import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { completionFiles } from '../completion/scripts.ts';
import { manual } from '../manual/manual.ts';

/** Writes what is made of the tree of commands into a directory, as the build wants it: man/ and completions/. */
export function generate(program: Command, directory: string, date: string): void {
  const edition = { version: program.version() ?? '', date };
  for (const [name, text] of manual(program, edition)) write(join(directory, 'man', name), text);
  for (const [path, text] of completionFiles(program)) write(join(directory, 'completions', path), text);
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
