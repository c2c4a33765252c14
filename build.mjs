/**
 * Makes dist/, which is what install.sh installs: every program bundled into one CommonJS file, and what can't
 * be bundled beside them. One file loads in a fraction of the time that its imports would take one by one,
 * and the hook's start-up is part of every VM's start.
 *
 * `--pack` also makes a release tarball, with which install.sh needs neither npm nor a network.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { build } from 'esbuild';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

const made = `dist.${process.pid}`;
const options = {
  outdir: made,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minify: true,
  // A native addon can't be bundled; only the command line uses it.
  external: ['koffi'],
  logLevel: 'warning',
  metafile: true,
};
const programs = await build({
  ...options,
  entryPoints: { program: 'hooks/program.ts', cli: 'bin/cli.ts' },
  define: { HNET_VERSION: JSON.stringify(version) },
});
const loaders = await build({
  ...options,
  entryPoints: { qemu: 'hooks/qemu.ts', hnet: 'bin/hnet.ts' },
  define: { HNET_BUILD: digestOf('program'), HNET_CLI: digestOf('cli') },
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
const bundled = [programs, loaders].flatMap(packagesIn);
writeFileSync(`${made}/THIRD-PARTY.txt`, notices([...bundled, 'node_modules/koffi']));
// Files are replaced one by one: a program of dist/ that runs meanwhile finds the others.
cpSync(made, 'dist', { recursive: true });
rmSync(made, { recursive: true });

if (process.argv.includes('--pack')) pack();

/** What V8 keeps of a program goes by this, so that no other program is ever taken for it. */
function digestOf(program) {
  const hash = createHash('sha256').update(readFileSync(`${made}/${program}.cjs`));
  return JSON.stringify(hash.digest('hex').slice(0, 16));
}

/** The folders of the packages that a bundle holds code of. */
function packagesIn({ metafile }) {
  const inputs = Object.values(metafile.outputs).flatMap(output => Object.entries(output.inputs));
  return inputs.flatMap(([path, { bytesInOutput }]) =>
    bytesInOutput > 0 ? (/^(.*\/)?node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []) : [],
  );
}

/** What the licences of packages ask for: their names and the texts of the licences. */
function notices(folders) {
  return [...new Set(folders)].sort().map(notice).join('\n');
}

function notice(folder) {
  const { name, version, license, author } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  if (license === undefined) throw new Error(`${folder} names no licence`);
  const file = readdirSync(folder).find(one => /^licen[cs]e(\.\w+)?$/i.test(one));
  const text =
    file === undefined
      ? `Copyright ${author?.name ?? author}; its package holds no text of its licence.`
      : readFileSync(`${folder}/${file}`, 'utf8').trim();
  return `${'='.repeat(78)}\n${name} ${version} (${license})\n\n${text}\n`;
}

function copy(from, to) {
  if (existsSync(from)) cpSync(from, to, { recursive: true });
}

function pack() {
  const { arch } = process;
  // The interpreter comes along, for hosts that have none or an old one.
  const node = `node_modules/node-linux-${arch}`;
  if (existsSync(node)) {
    cpSync(`${node}/bin/node`, 'dist/node');
    appendFileSync('dist/THIRD-PARTY.txt', notices([node]));
  }
  const name = `hnet-${version}-linux-${arch}`;
  const files = [
    'dist',
    'hooks/qemu.sh',
    'install.sh',
    'README.md',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'LICENSE',
    'package.json',
    'docs',
    'units',
  ];
  execFileSync('tar', ['-czf', `${name}.tgz`, `--transform=s,^,${name}/,`, ...files.filter(existsSync)]);
  console.log(`${name}.tgz`);
}
