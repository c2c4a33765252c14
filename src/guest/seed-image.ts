/** Writes a NoCloud seed as an ISO 9660 image, with whichever tool the host has. */
import { chmodSync, constants, copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Host } from '../host/host.ts';
import { hasTool } from '../host/tools.ts';
import { quote, Refusal, reason } from '../model/refusal.ts';
import type { ConfigFile } from './file.ts';

/** All of them take mkisofs's options. */
const TOOLS = ['genisoimage', 'xorrisofs', 'mkisofs'];
/** cloud-init looks for this label among the disks (docs.cloud-init.io, "NoCloud"). */
const OPTIONS = ['-quiet', '-volid', 'cidata', '-joliet', '-rational-rock'];

/** @throws Refusal if something is at that path already; then it stays as it is */
export function refuseExisting(path: string): void {
  if (existsSync(path)) throw new Refusal(`Cannot write ${quote(path)}: it exists`);
}

/**
 * Writes the image, for root alone, as it may hold passwords; libvirt makes QEMU its owner. @returns the absolute path
 * @throws Refusal if there is no tool, the path exists, or can't be written; then nothing is left behind
 */
export function writeImage(path: string, files: readonly ConfigFile[], host: Host): string {
  refuseExisting(path);
  const tool = TOOLS.find(name => hasTool(name));
  if (tool === undefined)
    throw new Refusal(
      `Cannot write an image: none of ${TOOLS.join(', ')} is installed; apt-get install xorriso`,
    );
  const target = resolve(path);
  const work = mkdtempSync(join(tmpdir(), 'hnet-seed-'));
  try {
    const image = join(work, 'image');
    for (const one of files) writeFileSync(join(work, one.path), one.text, { mode: 0o600 });
    const sources = files.map(one => join(work, one.path));
    host.run([tool, ...OPTIONS, '-output', image, ...sources]);
    chmodSync(image, 0o600);
    copyExclusively(image, target);
    return target;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Never overwrites a file that somebody made meanwhile. */
function copyExclusively(from: string, to: string): void {
  try {
    copyFileSync(from, to, constants.COPYFILE_EXCL);
  } catch (error) {
    throw new Refusal(`Cannot write ${quote(to)}: ${reason(error)}`);
  }
}
