/** Files as hnet keeps them: whole, or not there. */
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
 * Where something lies until it is whole. The name is always the same, so that whoever writes or removes the thing
 * next also removes what a process left that was killed; each of our files has one writer at a time.
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

/** Removes a file, and what a writer that was killed has left of it; that there is none is no error. */
export function removeWhole(path: string): void {
  for (const one of [path, halfOf(path)]) rmSync(one, { force: true });
}

/** Sets a setting of the kernel's. `ifPresent`: no matter where it isn't there. */
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
 * The same of what is short and there at once, as the kernel's settings are, in half the system calls: a repair reads five
 * of them for each bridge.
 */
export const readShortIfThere = (path: string): string | undefined => ifThere(() => readShort(path));

const SHORT = Buffer.alloc(4096);

function readShort(path: string): string {
  const file = openSync(path, 'r');
  try {
    const length = readSync(file, SHORT);
    // What fills it isn't short, and may go on.
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

/** Takes lines out of a file. Whole or not at all, and untouched where there is nothing to take. */
export function strike(path: string, pattern: RegExp): void {
  const lines = readIfThere(path)?.split('\n') ?? [];
  const kept = lines.filter(line => !pattern.test(line));
  if (kept.length < lines.length) writeAtomically(path, kept.join('\n'));
}

/** A symbolic link in the place of whatever link is there. */
export function linkAtomically(path: string, target: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const temporary = halfOf(path);
  rmSync(temporary, { force: true });
  symlinkSync(target, temporary);
  renameSync(temporary, path);
}

/** What a symbolic link leads to; undefined if it isn't there, or is out of reach. */
export function linkIfThere(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** The names in a directory; none if it isn't there, or is out of reach. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
