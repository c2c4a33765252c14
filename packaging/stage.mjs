import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { koffiFor, nodeFor } from './modules.mjs';
import { notices } from './notices.mjs';

const PROGRAMS = ['program', 'qemu', 'cli', 'hnet'].map(name => `${name}.cjs`);
const KOFFI = ['index.cjs', 'package.json', 'src/koffi/index.cjs', 'src/koffi/src/static.cjs'];
const LIB = 'usr/lib/hnet';
const DOC = 'usr/share/doc/hnet';
const PAGE = 'usr/share/cockpit/hnet';
/** Where each shell looks for the completions that programs bring along. */
const COMPLETIONS = {
  bash: 'usr/share/bash-completion/completions',
  zsh: 'usr/share/zsh/vendor-completions',
  fish: 'usr/share/fish/vendor_completions.d',
};

/**
 * Lays all files that hnet installs below a directory as they lie below the root of a host, and replaces what was there.
 * @param arch of the binaries, in Node's word for it
 */
export function stage(directory, arch) {
  const half = `${directory}.${process.pid}`;
  const lay = (from, to) => cpSync(from, join(half, to), { recursive: true });
  for (const program of PROGRAMS) lay(`dist/${program}`, `${LIB}/${program}`);
  for (const part of KOFFI) lay(`node_modules/koffi/${part}`, `${LIB}/node_modules/koffi/${part}`);
  layKoffi(arch, lay);
  lay('hooks/qemu.sh', `${LIB}/hook`);
  lay('packaging/setup.sh', `${LIB}/setup`);
  for (const unit of readdirSync('units').filter(name => /\.(service|timer)$/.test(name)))
    lay(`units/${unit}`, `usr/lib/systemd/system/${unit}`);
  lay('packaging/60-hnet.rules', 'usr/lib/udev/rules.d/60-hnet.rules');
  layManual(lay);
  layCompletions(lay);
  layPage(half);
  evenModes(half);
  layCommands(half);
  for (const script of ['hook', 'setup']) chmodSync(join(half, LIB, script), 0o755);
  rmSync(directory, { recursive: true, force: true });
  renameSync(half, directory);
}

/** The same with a Node.js for hnet alone. AppArmor lets a hook execute programs of /usr/bin only. */
export function stageNode(directory, arch) {
  const from = nodeFor(arch);
  mkdirSync(join(directory, 'usr/share/doc/hnet-node'), { recursive: true });
  cpSync(`${from}/bin/node`, join(directory, 'usr/bin/hnet-node'));
  writeFileSync(join(directory, 'usr/share/doc/hnet-node/THIRD-PARTY.txt'), notices([from]));
  evenModes(directory);
  chmodSync(join(directory, 'usr/bin/hnet-node'), 0o755);
}

/** Of Koffi's binaries that for glibc: hnet runs where libvirt and systemd do. */
function layKoffi(arch, lay) {
  const [from, to] = [koffiFor(arch), `${LIB}/node_modules/@koromix/koffi-linux-${arch}`];
  for (const part of ['index.js', 'package.json', `linux_${arch}/koffi.node`])
    lay(`${from}/${part}`, `${to}/${part}`);
}

/** The units refer to the README, and it to the rest. */
function layManual(lay) {
  for (const name of [
    'README.md',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'LICENSE',
    'docs',
    'contrib',
  ])
    lay(name, `${DOC}/${name}`);
  // SELinux takes it, on hosts where doctor says so.
  lay('contrib/selinux/hnet.cil', `${DOC}/selinux/hnet.cil`);
  lay('dist/THIRD-PARTY.txt', `${DOC}/THIRD-PARTY.txt`);
  for (const page of namesIn('dist/man')) lay(`dist/man/${page}`, `usr/share/man/man${page.at(-1)}/${page}`);
}

function layCompletions(lay) {
  for (const [shell, to] of Object.entries(COMPLETIONS))
    for (const name of namesIn(`dist/completions/${shell}`))
      lay(`dist/completions/${shell}/${name}`, `${to}/${name}`);
}

const namesIn = directory => (existsSync(directory) ? readdirSync(directory) : []);

/** The page for Cockpit, which sends a browser what lies there compressed as it is, and compresses nothing itself. */
function layPage(root) {
  mkdirSync(join(root, PAGE), { recursive: true });
  for (const name of readdirSync('dist/cockpit')) {
    const bytes = readFileSync(`dist/cockpit/${name}`);
    const path = join(root, PAGE, name);
    if (/\.(js|css)$/.test(name)) writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
    else writeFileSync(path, bytes);
  }
}

/** `hnet-assign` is a command of its own, as the article has it. */
function layCommands(root) {
  const wrapper = readFileSync('bin/hnet.sh', 'utf8');
  const put = (name, text) => {
    const path = join(root, 'usr/bin', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    chmodSync(path, 0o755);
  };
  put('hnet', wrapper);
  put('hnet-assign', wrapper.replace('"$@"', 'assign "$@"'));
}

/** Whatever the builder's umask and checkout say. */
function evenModes(directory) {
  chmodSync(directory, 0o755);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) evenModes(path);
    else chmodSync(path, 0o644);
  }
}
