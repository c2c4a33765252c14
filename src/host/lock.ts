import { spawnSync } from 'node:child_process';
import { chmodSync, closeSync, constants, mkdirSync, openSync } from 'node:fs';
import { RUN_DIRECTORY } from '../model/names.ts';
import { Refusal, reason } from '../model/refusal.ts';
import { OWN_DIRECTORY, OWN_FILE } from './files.ts';
import type { Host } from './host.ts';
import { urgently } from './priority.ts';
import { ENVIRONMENT } from './tools.ts';

/**
 * - `sync`: shared while the resources of one domain change, exclusive while all are looked at and strays removed.
 * - `claims`: exclusive and brief, to take addresses and set up the base.
 * - `assignments`: for commands that choose addresses. They call libvirt, which waits for the hook, so they must not hold
 *   `claims`, which the hook waits for.
 */
type LockName = 'sync' | 'claims' | 'assignments';

export const lockFile = (name: LockName): string => `${RUN_DIRECTORY}/${name}.lock`;

/**
 * Runs `work` while holding a lock. flock(1) takes it on a file that this process opened, and exits: the lock belongs to the
 * open file, so it ends with this process, however it dies. Node opens files close-on-exec, so no child inherits it.
 * @throws Refusal if another process holds it for two thirds of the time that the host has left
 */
export function withLock<T>(name: LockName, kind: 'shared' | 'exclusive', host: Host, work: () => T): T {
  mkdirSync(RUN_DIRECTORY, { recursive: true, mode: OWN_DIRECTORY });
  // An older hnet let everybody read it.
  chmodSync(RUN_DIRECTORY, OWN_DIRECTORY);
  const file = lockFile(name);
  const descriptor = openLock(file);
  try {
    // The rest of the time is for the work, or for the error message.
    const seconds = Math.max(0.1, (host.remaining() * 2) / 3000).toFixed(1);
    const { status, error } = spawnSync('flock', [`--${kind}`, '--wait', seconds, '3'], {
      stdio: ['ignore', 'ignore', 'ignore', descriptor],
      env: ENVIRONMENT,
    });
    if (error !== undefined) throw new Refusal(`Cannot lock ${file}: ${error.message}`);
    if (status !== 0) throw new Refusal(`Cannot lock ${file}: another hnet process held it for ${seconds} s`);
    return urgently(work);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Opens it for reading too, or a pipe in its place would be waited for; it locks as well as a file. A link may lead to a file of
 * somebody's. Nothing gives way here: who removes what another has locked, locks nothing.
 */
const TO_LOCK = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;

function openLock(file: string): number {
  try {
    return openSync(file, TO_LOCK, OWN_FILE);
  } catch (error) {
    throw new Refusal(`Cannot open ${file}: ${reason(error)}; remove what stands there`);
  }
}
