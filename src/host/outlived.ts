import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';

/** Starts a process that ends with this one, however this one ends. Where it can't be started it closes at once. */
export const outlived = (argv: readonly string[], options: SpawnOptions): ChildProcess =>
  spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...argv], options).on('error', () => undefined);
