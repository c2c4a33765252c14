import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { RUN_DIRECTORY } from '../model/names.ts';
import { Refusal } from '../model/refusal.ts';
import type { Host } from './host.ts';
import { urgently } from './priority.ts';
import { ENVIRONMENT } from './tools.ts';

/**
 * - `sync`: shared by whoever works on one domain's resources, exclusive to whoever looks at everybody's and
 *   removes strays.
 * - `claims`: exclusive and brief, to take addresses and set up the base.
 * - `assignments`: for commands that choose addresses. It is not `claims`, for the chooser calls libvirt, which
 *   waits for the hook, which would wait for the chooser.
 */
export type LockName = 'sync' | 'claims' | 'assignments';

export const lockFile = (name: LockName): string => `${RUN_DIRECTORY}/${name}.lock`;

/**
 * Runs `work` while holding a lock.
 *
 * It is flock(2) on a file that this process opened: flock(1) takes it on the shared open file and leaves, so
 * the lock ends with this process however it dies. Node opens files close-on-exec: no child inherits it.
 * @throws Refusal if the lock isn't to be had before the host's deadline
 */
export function withLock<T>(name: LockName, kind: 'shared' | 'exclusive', host: Host, work: () => T): T {
  mkdirSync(RUN_DIRECTORY, { recursive: true, mode: 0o755 });
  const file = lockFile(name);
  const descriptor = openSync(file, 'a', 0o600);
  try {
    acquire(descriptor, kind, file, host);
    return urgently(work);
  } finally {
    closeSync(descriptor);
  }
}

function acquire(descriptor: number, kind: 'shared' | 'exclusive', file: string, host: Host): void {
  // Two thirds: what is left must suffice for the work, or for saying why there is none.
  const seconds = Math.max(0.1, (host.remaining() * 2) / 3000).toFixed(1);
  const { status, error } = spawnSync('flock', [`--${kind}`, '--wait', seconds, '3'], {
    stdio: ['ignore', 'ignore', 'ignore', descriptor],
    env: ENVIRONMENT,
  });
  if (error !== undefined) throw new Refusal(`Cannot lock ${file}: ${error.message}`);
  if (status !== 0) throw new Refusal(`Cannot lock ${file}: another hnet process held it for ${seconds} s`);
}
