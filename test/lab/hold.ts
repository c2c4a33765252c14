import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { namespaceInit } from './processes.ts';
import { ENVIRONMENT, run } from './run.ts';
import { PATIENCE, until } from './wait.ts';

const SCRIPT = fileURLToPath(new URL('hold.sh', import.meta.url));
const SPACES = ['--mount', '--uts', '--ipc', '--pid', '--fork', '--mount-proc'];

/** Makes a network namespace that lives as a file of the lab's directory, and in no global list. */
export async function makeNetns(dir: string, name: string): Promise<string> {
  const netns = join(dir, 'net', name);
  if (existsSync(netns)) throw new Error(`Cannot make "${name}": it exists in this lab`);
  await run(['touch', netns]);
  await run(['unshare', `--net=${netns}`, 'ip', 'link', 'set', 'lo', 'up']);
  return netns;
}

/**
 * Starts the process that keeps a machine's namespaces alive, and gives back its pid. PID and mount namespaces are its
 * own, so that daemons started in the machine end with it and never appear in the machine beneath.
 */
export async function hold(dir: string, name: string, netns: string): Promise<number> {
  const upper = join(dir, `${name}.hold`);
  mkdirSync(upper, { recursive: true });
  const argv = [
    `--net=${netns}`,
    'unshare',
    ...SPACES,
    '--propagation',
    'unchanged',
    'sh',
    SCRIPT,
    upper,
    name,
  ];
  const holder = spawn('nsenter', argv, {
    detached: true,
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await held(holder, name);
  const leader = await until(() => namespaceInit(holder.pid ?? 0), PATIENCE, `the first process of ${name}`);
  holder.stdout.destroy();
  holder.stderr.destroy();
  holder.unref();
  return leader;
}

/** Waits for the script's one word, or throws with its complaints. */
async function held(holder: ChildProcessByStdio<null, Readable, Readable>, name: string): Promise<void> {
  let words = '';
  holder.stderr.on('data', chunk => {
    words += String(chunk);
  });
  await Promise.race([once(holder.stdout, 'data'), once(holder, 'close')]);
  if (holder.exitCode !== null) throw new Error(`Cannot hold "${name}": ${words.trim()}`);
}
