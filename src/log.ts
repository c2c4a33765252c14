import { spawn } from 'node:child_process';

/**
 * Writes one line to the system's log under the tag `hnet` (journalctl -t hnet). It waits for nothing: the
 * logger has no descriptor of ours, and libvirtd waits for whoever holds the hook's output.
 */
export function log(line: string, priority: 'info' | 'err' = 'info'): void {
  const logger = spawn('/usr/bin/logger', ['-t', 'hnet', '-p', `daemon.${priority}`, '--', line], {
    stdio: 'ignore',
    detached: true,
  });
  // Where there is no logger, the operation itself must not fail for it.
  logger.on('error', () => undefined);
  logger.unref();
}
