import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Opens a page of section 8 in man. @returns false if there is no man here, or not this page */
export function show(page: string): boolean {
  // Where documentation was left out of an installation, `man` may be a script that says so and succeeds.
  const { stdout } = spawnSync('man', ['-w', '8', page], { encoding: 'utf8' });
  if (!existsSync((stdout ?? '').trim())) return false;
  return spawnSync('man', ['8', page], { stdio: 'inherit' }).status === 0;
}
