import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { manual } from '../manual/manual.ts';

/** Writes what is made of the tree of commands into a directory, as the build wants it: man/ for now. */
export function generate(program: Command, directory: string, date: string): void {
  const edition = { version: program.version() ?? '', date };
  for (const [name, text] of manual(program, edition)) write(join(directory, 'man'), name, text);
}

function write(directory: string, name: string, text: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name), text);
}
