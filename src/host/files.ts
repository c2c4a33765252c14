/** Reads and writes files; a file is written whole or not at all. */
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { ifPossible } from '../model/refusal.ts';

/** Where a file is written before it takes its name. Each has one writer at a time, which replaces what a killed one left. */
export const halfOf = (path: string): string => `${path}~`;

/** Writes a file so that a reader, or a crash, never sees half of it. */
export const writeAtomically = (path: string, text: string): void =>
  atomically(path, half => writeFileSync(half, text, { mode: 0o644 }));

/** Makes a symbolic link, in place of one that may be there. */
export const linkAtomically = (path: string, target: string): void =>
  atomically(path, half => {
    rmSync(half, { force: true });
    symlinkSync(target, half);
  });

function atomically(path: string, make: (half: string) => void): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const half = halfOf(path);
  try {
    make(half);
    renameSync(half, path);
  } catch (error) {
    rmSync(half, { force: true });
    throw error;
  }
}

/** Removes a file, and what a killed writer left of it. Neither has to exist. */
export function removeWhole(path: string): void {
  for (const one of [path, halfOf(path)]) rmSync(one, { force: true });
}

/** The text of a file, or undefined if it isn't there (or its process has just gone). */
export const readIfThere = (path: string): string | undefined => ifThere(() => readFileSync(path, 'utf8'));

/** The same in half the system calls, for a kernel setting: a repair reads five of them for each bridge. */
export const readShortIfThere = (path: string): string | undefined => ifThere(() => readShort(path));

const SHORT = Buffer.alloc(4096);

function readShort(path: string): string {
  const file = openSync(path, 'r');
  try {
    const length = readSync(file, SHORT);
    // A full buffer may not be all of it.
    return length < SHORT.length ? SHORT.toString('utf8', 0, length) : readFileSync(path, 'utf8');
  } finally {
    closeSync(file);
  }
}

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'ENOTDIR', 'EINVAL'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}

/** Removes the lines that match from a file, all or none of them. A file without such a line isn't written. */
export function strike(path: string, pattern: RegExp): void {
  const lines = readIfThere(path)?.split('\n') ?? [];
  const kept = lines.filter(line => !pattern.test(line));
  if (kept.length < lines.length) writeAtomically(path, kept.join('\n'));
}

/** The target of a symbolic link; undefined if it can't be read. */
export const linkIfThere = (path: string): string | undefined => ifPossible(() => readlinkSync(path));

/** The names in a directory; none if it can't be read. */
export const namesIn = (directory: string): string[] => ifPossible(() => readdirSync(directory)) ?? [];
