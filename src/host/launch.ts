/** Programs that are started and not waited for: they outlive the call of the hook, and it ends without them. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { linkIfThere, namesIn } from './files.ts';
import { ordinarily } from './priority.ts';
import { ENVIRONMENT } from './tools.ts';

/**
 * Starts a program with no descriptor of ours: libvirtd waits for whoever holds the hook's output.
 * @returns its pid; undefined if it isn't installed
 */
export function launch(argv: readonly string[], words: number | 'ignore' = 'ignore'): number | undefined {
  const [command = '', ...args] = argv;
  const child = ordinarily(() =>
    spawn(command, args, {
      stdio: ['ignore', 'ignore', words],
      detached: true,
      env: ENVIRONMENT,
      cwd: '/',
    }),
  );
  // It shows by the missing pid.
  child.on('error', () => undefined);
  child.unref();
  return child.pid;
}

/** A server that was started, and may still be about to refuse. */
export interface Server {
  readonly argv: readonly string[];
  /** Undefined if the program isn't installed. */
  readonly pid: number | undefined;
  /** A file without a name, into which it writes why it refuses. */
  readonly words: number;
}

/** Starts a server that stays in the foreground, and writes its pid file. */
export function serve(argv: readonly string[], pidFile: string): Server {
  const words = openSync(`${pidFile}~`, 'w+');
  rmSync(`${pidFile}~`);
  const pid = launch(argv, words);
  if (pid !== undefined) writeFileSync(pidFile, `${pid}\n`);
  return { argv, pid, words };
}

/**
 * Waits until a server has opened its first socket: then it has read its configuration and found nothing to refuse.
 * What it does until it serves grows with the interfaces of the host (dnsmasq looks at all of them), and nobody has to
 * wait for it.
 * @returns why it doesn't serve, if it ended or hasn't come so far within the limit
 */
export function refusalOf({ pid, words }: Server, limit: number): string | undefined {
  try {
    if (pid === undefined) return 'the program is not installed';
    const end = Date.now() + limit;
    for (let wait = 0.25; !hasSocket(pid); wait = Math.min(2 * wait, 8)) {
      if (hasEnded(pid)) return readFileSync(`/proc/self/fd/${words}`, 'utf8').trim() || 'it ended at once';
      if (Date.now() > end) return stop(pid, limit);
      pause(wait);
    }
    return undefined;
  } finally {
    closeSync(words);
  }
}

function stop(pid: number, limit: number): string {
  process.kill(pid, 'SIGKILL');
  return `no answer within ${(limit / 1000).toFixed(1)} s`;
}

function hasSocket(pid: number): boolean {
  const directory = `/proc/${pid}/fd`;
  return namesIn(directory).some(fd => linkIfThere(`${directory}/${fd}`)?.startsWith('socket:'));
}

/** Nobody has collected it yet: there is a pid, and nothing behind it. */
function hasEnded(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

/** Waits without doing anything else. */
export function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
