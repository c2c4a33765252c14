/**
 * Makes dist/: every program bundled into one CommonJS file, the page for Cockpit in dist/cockpit, and in dist/root all
 * that install.sh installs. One file loads in a fraction of the time that its imports would take one by one, and the
 * hook's start-up is part of every VM's start.
 *
 *   node build.mjs                     dist/
 *   node build.mjs --stage DIR [ARCH]  lays the tree of dist/root there as well, for another architecture perhaps
 *   node build.mjs --stage-node DIR [ARCH]  lays hnet's own Node.js there
 *   node build.mjs --pack              makes a release tarball as well
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { notices } from './packaging/notices.mjs';
import { pack } from './packaging/pack.mjs';
import { page } from './packaging/page.mjs';
import { stage, stageNode } from './packaging/stage.mjs';

/** As reproducible builds have it, in seconds (reproducible-builds.org/specs/source-date-epoch). */
const epoch = process.env['SOURCE_DATE_EPOCH'];
const date = (epoch === undefined ? new Date() : new Date(epoch * 1000)).toISOString().slice(0, 10);
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const [action, directory, arch = process.arch] = process.argv.slice(2);

await bundle();
stage('dist/root', process.arch);
if (action === '--stage') stage(directory, arch);
if (action === '--stage-node') stageNode(directory, arch);
if (action === '--pack') console.log(pack(version, process.arch));

async function bundle() {
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
    // The names in a bundle go by the order of paths: node_modules may be a link to anywhere.
    preserveSymlinks: true,
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
    define: { HNET_BUILD: digestOf(`${made}/program.cjs`), HNET_CLI: digestOf(`${made}/cli.cjs`) },
  });
  const bundled = [programs, loaders].flatMap(packagesIn);
  writeFileSync(`${made}/THIRD-PARTY.txt`, notices([...bundled, 'node_modules/koffi']));
  const shown = await page(`${made}/cockpit`);
  writeFileSync(`${made}/cockpit/THIRD-PARTY.txt`, notices(packagesIn(shown)));
  execFileSync(process.execPath, [`${made}/cli.cjs`, 'generate', made, '--date', date]);
  // Of a command that is gone nothing stays.
  for (const generated of ['man', 'completions'])
    rmSync(`dist/${generated}`, { recursive: true, force: true });
  // Files are replaced one by one: a program of dist/ that runs meanwhile finds the others.
  cpSync(made, 'dist', { recursive: true });
  rmSync(made, { recursive: true });
}

/** What V8 keeps of a program goes by this, so that no other program is ever taken for it. */
function digestOf(program) {
  const hash = createHash('sha256').update(readFileSync(program));
  return JSON.stringify(hash.digest('hex').slice(0, 16));
}

/** The folders of the packages that a bundle holds code of. */
function packagesIn({ metafile }) {
  const inputs = Object.values(metafile.outputs).flatMap(output => Object.entries(output.inputs));
  return inputs.flatMap(([path, { bytesInOutput }]) =>
    bytesInOutput > 0 ? (/^(.*\/)?node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []) : [],
  );
}
