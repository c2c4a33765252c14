/**
 * Makes dist/, which is what install.sh installs: every program bundled into one CommonJS file, and what can't
 * be bundled beside them. One file loads in a fraction of the time that its imports would take one by one,
 * and the hook's start-up is part of every VM's start.
 *
 * `--pack` also makes a release tarball, with which install.sh needs neither npm nor a network.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

const made = `dist.${process.pid}`;
await build({
  entryPoints: { qemu: 'hooks/qemu.ts', hnet: 'bin/hnet.ts' },
  outdir: made,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minify: true,
  keepNames: true,
  // A native addon can't be bundled; only the command line uses it.
  external: ['koffi'],
  define: { HNET_VERSION: JSON.stringify(version) },
  logLevel: 'warning',
});

const runtime = [
  'index.cjs',
  'package.json',
  'LICENSE.txt',
  'src/koffi/index.cjs',
  'src/koffi/src/static.cjs',
];
for (const part of runtime) copy(`node_modules/koffi/${part}`, `${made}/node_modules/koffi/${part}`);
copy('node_modules/@koromix', `${made}/node_modules/@koromix`);
// Over what is there, and not in its place: whoever runs a program of dist/ meanwhile finds it.
cpSync(made, 'dist', { recursive: true });
rmSync(made, { recursive: true });

if (process.argv.includes('--pack')) pack();

function copy(from, to) {
  if (existsSync(from)) cpSync(from, to, { recursive: true });
}

function pack() {
  const { arch } = process;
  // The interpreter comes along, for hosts that have none or an old one.
  copy(`node_modules/node-linux-${arch}/bin/node`, 'dist/node');
  const name = `hnet-${version}-linux-${arch}`;
  const files = [
    'dist',
    'hooks/qemu.sh',
    'install.sh',
    'README.md',
    'CHANGELOG.md',
    'LICENSE',
    'package.json',
    'docs',
    'units',
  ];
  execFileSync('tar', ['-czf', `${name}.tgz`, `--transform=s,^,${name}/,`, ...files.filter(existsSync)]);
  console.log(`${name}.tgz`);
}
