import { launch } from './launch.ts';

/** Writes one line to the system's log under the tag `hnet` (journalctl -t hnet). Without a logger it does nothing. */
export function log(line: string, priority: 'info' | 'err' = 'info'): void {
  launch(['logger', '-t', 'hnet', '-p', `daemon.${priority}`, '--', line]);
}
