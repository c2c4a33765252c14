/** Reads and writes files; a file is written whole or not at all. */
import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { ifPossible } from '../model/refusal.ts';

/** Where a file is written before it takes its name. Each has one writer at a time, which replaces what a killed one left. */
export const halfOf = (path: string): string => `${path}~`;

/** Files of ours are root's alone: they tell who has which address, and a lock that others may open they may hold. */
export const OWN_FILE = 0o600;
export const OWN_DIRECTORY = 0o700;

/** Of the configuration, which others may read. */
export const PUBLIC_FILE = 0o644;

/** Writes a file so that a reader, or a crash, never sees half of it. */
export const writeAtomically = (path: string, text: string, mode = OWN_FILE): void =>
  atomically(path, half => writeFileSync(half, text, { mode }));

/** Makes a symbolic link, in place of one that may be there. */
export const linkAtomically = (path: string, target: string): void =>
  atomically(path, half => {
    rmSync(half, { force: true });
    symlinkSync(target, half);
  });

function atomically(path: string, make: (half: string) => void): void {
  mkdirSync(dirname(path), { recursive: true, mode: OWN_DIRECTORY });
  const half = halfOf(path);
  try {
    make(half);
    replace(half, path);
  } catch (error) {
    rmSync(half, { force: true });
    throw error;
  }
}

/** An empty directory where a file belongs is nobody's, but rename(2) replaces none. */
function replace(half: string, path: string): void {
  try {
    renameSync(half, path);
  } catch (error) {
    if (codeOf(error) !== 'EISDIR') throw error;
    rmdirSync(path);
    renameSync(half, path);
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';

/** Removes a file, and what a killed writer left of it. Neither has to exist. */
export function removeWhole(path: string): void {
  for (const one of [path, halfOf(path)]) {
    if (lstatSync(one, { throwIfNoEntry: false })?.isDirectory()) rmdirSync(one);
    else rmSync(one, { force: true });
  }
}

/** The text of a file, or undefined if it isn't there (or its process has just gone). */
export const readIfThere = (path: string): string | undefined =>
  ifThere(() => withFile(path, file => readFileSync(file, 'utf8')));

/** The same in half the system calls, for a kernel setting: a repair reads five of them for each bridge. */
export const readShortIfThere = (path: string): string | undefined => ifThere(() => readShort(path));

const SHORT = Buffer.alloc(4096);

const readShort = (path: string): string =>
  withFile(path, file => {
    const length = readSync(file, SHORT);
    // A full buffer may not be all of it.
    return length < SHORT.length ? SHORT.toString('utf8', 0, length) : readFileSync(path, 'utf8');
  });

/** A pipe that stands where a file should be would be waited for. */
const AT_ONCE = constants.O_RDONLY | constants.O_NONBLOCK;

function withFile<T>(path: string, read: (file: number) => T): T {
  const file = openSync(path, AT_ONCE);
  try {
    return read(file);
  } finally {
    closeSync(file);
  }
}

/** A directory, a socket or a circle of links in a file's place is no file. */
const ABSENT = ['ENOENT', 'ESRCH', 'ENOTDIR', 'EINVAL', 'EISDIR', 'ENXIO', 'ELOOP'];

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (ABSENT.includes(codeOf(error))) return undefined;
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
