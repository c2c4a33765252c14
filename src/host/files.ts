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

/**
 * Where a file is written before it takes its name. It is the same each time, so the next writer replaces what a killed
 * process left; each of our files has one writer at a time.
 */
export const halfOf = (path: string): string => `${path}~`;

/** Writes a file so that a reader, or a crash, never sees half of it. */
export function writeAtomically(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const temporary = halfOf(path);
  try {
    writeFileSync(temporary, text, { mode: 0o644 });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Removes a file, and what a killed writer left of it. Neither has to exist. */
export function removeWhole(path: string): void {
  for (const one of [path, halfOf(path)]) rmSync(one, { force: true });
}

/** Writes a kernel setting. @param ifPresent the setting may be missing */
export function writeSysctl(path: string, value: string, ifPresent: boolean): void {
  try {
    writeFileSync(path, value);
  } catch (error) {
    if (!(ifPresent && (error as NodeJS.ErrnoException).code === 'ENOENT')) throw error;
  }
}

/** The text of a file, or undefined if it isn't there (or its process has just gone). */
export const readIfThere = (path: string): string | undefined => ifThere(() => readFileSync(path, 'utf8'));

/**
 * The same in half the system calls, for a file that the kernel gives in one piece, as it does its settings: a repair reads
 * five of them for each bridge.
 */
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

/** Makes a symbolic link, in place of one that may be there. */
export function linkAtomically(path: string, target: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const temporary = halfOf(path);
  rmSync(temporary, { force: true });
  symlinkSync(target, temporary);
  renameSync(temporary, path);
}

/** The target of a symbolic link; undefined if it can't be read. */
export function linkIfThere(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** The names in a directory; none if it can't be read. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
