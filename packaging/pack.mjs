import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync } from 'node:fs';
import { nodeFor } from './modules.mjs';
import { notices } from './notices.mjs';

/**
 * Makes a release tarball, with which install.sh needs neither npm nor a network.
 * @returns its name
 */
export function pack(version, arch) {
  // The interpreter comes along, for hosts that have none or an old one.
  cpSync(`${nodeFor(arch)}/bin/node`, 'dist/node');
  appendFileSync('dist/root/usr/share/doc/hnet/THIRD-PARTY.txt', notices([nodeFor(arch)]));
  const name = `hnet-${version}-linux-${arch}`;
  const files = [
    'dist/root',
    'dist/node',
    'install.sh',
    'packaging/setup.sh',
    'README.md',
    'CHANGELOG.md',
    'LICENSE',
    'docs',
  ];
  execFileSync('tar', ['-czf', `${name}.tgz`, `--transform=s,^,${name}/,`, ...files.filter(existsSync)]);
  return `${name}.tgz`;
}
