import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import type { Machine } from '../lab/machine.ts';

const CHROMIUM = '/usr/bin/chromium-headless-shell';
/** It runs as root and asks nobody on a network that isn't there. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts Debian's Chromium in the network of a machine, whose own `localhost` it then sees. Its files are the outer machine's. */
export async function browserIn(machine: Machine): Promise<Browser> {
  const home = await mkdtemp(join(tmpdir(), 'hnet-browser-'));
  const program = join(home, 'chromium');
  await writeFile(program, `#!/bin/sh\nexec nsenter --net='${machine.netns}' ${CHROMIUM} "$@"\n`);
  await chmod(program, 0o755);
  const browser = await chromium.launch({ executablePath: program, args: ARGUMENTS, timeout: 300_000 });
  await rm(home, { recursive: true });
  return browser;
}
