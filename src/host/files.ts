/**
 * Reads and writes files; a file is written whole or not at all.
 *
 * In the place of a file anything may stand. Opened, a pipe would be waited for, and a link may lead anywhere: so nothing of
 * ours is opened but with what is here.
 */
import {
  closeSync,
  constants,
  fstatSync,
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
  atomically(path, half => writeNew(half, text, mode));

/** Makes a symbolic link, in place of one that may be there. */
export const linkAtomically = (path: string, target: string): void =>
  atomically(path, half => makeNew(half, () => symlinkSync(target, half)));

/** Makes a file under another name, and gives it its own. @param make makes it, with what is here */
export function atomically(path: string, make: (half: string) => void): void {
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

/** Writes a file that nobody reads before it is whole. */
export const writeNew = (path: string, text: string, mode = OWN_FILE): void =>
  makeNew(path, () => writeFileSync(path, text, { mode, flag: 'wx' }));

/** Opens a file that is new, to write to it. */
export const openNew = (path: string): number => makeNew(path, () => openSync(path, 'wx', OWN_FILE));

/** What stands in the place of a new file goes without being opened. @param make fails with EEXIST where anything does */
function makeNew<T>(path: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    remove(path);
    return make();
  }
}

/** Appends to a file, which is made if there is none; what stands in its place and is none goes. */
export function append(path: string, text: string): void {
  const file = openToAppend(path) ?? openToAppend(clearedOf(path));
  if (file === undefined) throw new Error('what stands there is no file');
  try {
    writeFileSync(file, text);
  } finally {
    closeSync(file);
  }
}

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
const TO_APPEND = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;

/** Undefined where what stands there is no file. */
function openToAppend(path: string): number | undefined {
  try {
    const file = openSync(path, TO_APPEND, OWN_FILE);
    if (fstatSync(file).isFile()) return file;
    // A pipe that somebody reads, or a device.
    closeSync(file);
  } catch (error) {
    if (!NO_FILE.includes(codeOf(error))) throw error;
  }
  return undefined;
}

/** How a directory, a pipe or a socket, a device, and a link answer to {@link TO_APPEND}. */
const NO_FILE = ['EISDIR', 'ENXIO', 'ENODEV', 'ELOOP'];

/** Removes what stands in the place of a file, and is none. @returns the path */
export function clearedOf(path: string): string {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false) remove(path);
  return path;
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
  for (const one of [path, halfOf(path)]) remove(one);
}

function remove(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) rmdirSync(path);
  else rmSync(path, { force: true });
}

/** The text of a file, or undefined if it isn't there (or its process has just gone). */
export const readIfThere = (path: string): string | undefined => readBytesIfThere(path)?.toString('utf8');

/** The same of what is no text. */
export const readBytesIfThere = (path: string): Buffer | undefined =>
  ifThere(() => withFile(path, readWhole));

/** A device might never end. */
const readWhole = (file: number): Buffer | undefined =>
  fstatSync(file).isFile() ? readFileSync(file) : undefined;

/** The same in half the system calls, for a kernel setting: a repair reads five of them for each bridge. */
export const readShortIfThere = (path: string): string | undefined => ifThere(() => readShort(path));

const SHORT = Buffer.alloc(4096);

const readShort = (path: string): string | undefined =>
  withFile(path, file => {
    const length = readSync(file, SHORT);
    // A full buffer may not be all of it.
    return length < SHORT.length ? SHORT.toString('utf8', 0, length) : readIfThere(path);
  });

/** Hands a file that is open to what reads it. It waits for no pipe. @throws as openSync, and as that */
export function withFile<T>(path: string, read: (file: number) => T): T {
  const file = openSync(path, O_RDONLY | O_NONBLOCK);
  try {
    return read(file);
  } finally {
    closeSync(file);
  }
}

/** A directory, a pipe, a socket or a link in a file's place is no file. */
const ABSENT = ['ENOENT', 'ESRCH', 'ENOTDIR', 'EINVAL', 'EISDIR', 'ENXIO', 'ENODEV', 'EAGAIN', 'ELOOP'];

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
