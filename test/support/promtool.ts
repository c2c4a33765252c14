import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attempt, type Outcome, run } from '../lab/run.ts';

const HOME = fileURLToPath(new URL('../../.cache/tools', import.meta.url));
const PROMTOOL = join(HOME, 'promtool');

/** Out of its package alone: installing prometheus would start it. The file is 90 MB, the package 19 MB. */
const FETCH = `
cd "$0"
apt-get download -q -o APT::Sandbox::User=root prometheus
dpkg --fsys-tarfile prometheus_*.deb | tar -x --strip-components=3 ./usr/bin/promtool`;

/** Prometheus's own judge of metrics and rules; fetched once. */
export async function promtool(words: readonly string[], input = ''): Promise<Outcome> {
  if (!existsSync(PROMTOOL)) await fetch();
  return attempt([PROMTOOL, ...words], { input });
}

async function fetch(): Promise<void> {
  await mkdir(HOME, { recursive: true });
  const work = await mkdtemp(join(HOME, 'fetch-'));
  try {
    await run(['sh', '-ec', FETCH, work], { limit: 300_000 });
    await rename(join(work, 'promtool'), PROMTOOL);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
