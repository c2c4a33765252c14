import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Hypervisor } from '../lab/hypervisor.ts';
import { attempt, expectSuccess, run } from '../lab/run.ts';

const CACHE = fileURLToPath(new URL('../../.cache/lab/firewalld', import.meta.url));

/**
 * Puts firewalld into a hypervisor's own layer where the machine beneath has none. It isn't one of the lab's
 * packages, for Debian starts it as soon as it is installed: it would close the machine on which the tests run.
 */
export async function provideFirewalld(hypervisor: Hypervisor): Promise<void> {
  if ((await hypervisor.attempt(['test', '-x', '/usr/sbin/firewalld'])).code === 0) return;
  await mkdir(`${CACHE}/partial`, { recursive: true });
  if ((await download()).code !== 0) {
    await run(['apt-get', '-q', 'update']);
    expectSuccess(['apt-get', 'download firewalld'], await download());
  }
  const inside = `${hypervisor.root}/var/cache/firewalld`;
  await run(['cp', '-r', CACHE, inside]);
  const install = 'DEBIAN_FRONTEND=noninteractive dpkg --force-confold -i /var/cache/firewalld/*.deb';
  await run(['chroot', hypervisor.root, 'sh', '-c', install]);
  await hypervisor.run(['systemctl', 'daemon-reload']);
}

/** Fetches what is missing for it, and installs nothing. */
function download() {
  const options = [
    '-q',
    '-y',
    '--no-install-recommends',
    '--download-only',
    '-o',
    `Dir::Cache::archives=${CACHE}`,
  ];
  return attempt(['apt-get', ...options, 'install', 'firewalld']);
}
