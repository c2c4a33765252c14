import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { attempt, run } from '../lab/run.ts';
import { PROJECT } from '../support/build.ts';
import { buildDebs, type Debs, ensureDebs } from '../support/deb.ts';

/** In milliseconds. */
const LIMIT = 600_000;
/** The tests' packages aren't compressed, which would take longer than all else. */
const UNPACKED = 'uses-no-compression-for-control-tarball,uses-no-compression-for-data-tarball';

describe("Debian's packages", () => {
  let debs: Debs;
  let home: string;

  before(async () => {
    debs = await ensureDebs();
    home = await mkdtemp(join(tmpdir(), 'hnet-'));
  });
  after(() => rm(home, { recursive: true, force: true }));

  it('are what lintian takes for right', async () => {
    const { stdout, stderr } = await attempt(
      [
        'lintian',
        '--allow-root',
        '--fail-on=error,warning',
        '--suppress-tags',
        UNPACKED,
        debs.hnet,
        debs.node,
        debs.page,
      ],
      { limit: LIMIT },
    );
    expect(stdout + stderr).to.equal('');
  });

  it('are the same bytes from another directory, with other times and modes', async () => {
    const project = join(home, 'elsewhere');
    const parts = (
      await run(['sh', '-c', 'cd "$0" && ls -d * .cache | grep -v "^dist\\|deb$\\|tgz$"', PROJECT])
    ).split('\n');
    await run(['mkdir', '-p', project]);
    for (const part of parts.filter(one => !['node_modules', '.cache', 'test'].includes(one)))
      await run(['cp', '-r', join(PROJECT, part), project]);
    await run(['ln', '-s', join(PROJECT, 'node_modules'), project]);
    await run(['chmod', '-R', 'go-rx', project]);
    const again = join(home, 'again');
    await buildDebs(again, 'amd64', project);
    for (const deb of Object.values(debs)) await run(['cmp', deb, join(again, basename(deb))]);
  });

  it('hold the tree that install.sh copies, but for what the packages have elsewhere', async () => {
    const lines = async (...argv: string[]) => (await run(argv)).split('\n').map(plain);
    const list = 'dpkg-deb --fsys-tarfile "$0" | tar -t | grep -v "/$" | sort';
    const page = await lines('sh', '-c', list, debs.page);
    const packed = [...(await lines('sh', '-c', list, debs.hnet)), ...page];
    const root = join(PROJECT, 'dist/root');
    const staged = await lines('sh', '-c', 'cd "$0" && find . -type f | sort', root);
    const doc = 'usr/share/doc';
    expect(packed.filter(path => !staged.includes(path))).to.deep.equal([
      `${doc}/hnet/changelog`,
      `${doc}/hnet/copyright`,
      'usr/share/lintian/overrides/hnet',
      `${doc}/cockpit-hnet/changelog`,
      `${doc}/cockpit-hnet/copyright`,
    ]);
    expect(staged.filter(path => !packed.includes(path))).to.deep.equal([`${doc}/hnet/LICENSE`]);
    expect(existsSync(join(root, 'usr/bin/hnet'))).to.equal(true);
    expect(page).to.include('usr/share/cockpit/hnet/index.js');
  });

  it('say the version that package.json, the changelog and the programs say', async () => {
    const version = await run([
      'sh',
      '-c',
      'sed -n "s/^  .version.: .\\(.*\\).,$/\\1/p" "$0/package.json"',
      PROJECT,
    ]);
    for (const deb of Object.values(debs))
      expect(await run(['dpkg-deb', '--field', deb, 'Version'])).to.equal(version);
    expect(await run(['node', join(PROJECT, 'dist/hnet.cjs'), '--version'])).to.equal(version);
  });

  it('are built for arm64 too, with its binaries', async () => {
    const arm = join(home, 'arm');
    await buildDebs(arm, 'arm64');
    const name = basename(debs.hnet).replace(/_[^_]+\.deb$/, '_arm64.deb');
    await run(['dpkg-deb', '--extract', join(arm, name), join(arm, 'tree')]);
    const binary = 'usr/lib/hnet/node_modules/@koromix/koffi-linux-arm64/linux_arm64/koffi.node';
    // e_machine of an ELF file: 183 is EM_AARCH64.
    expect(await run(['od', '-An', '-tu2', '-j18', '-N2', join(arm, 'tree', binary)])).to.match(/^ +183$/);
  });
});

/** Debian's packages have some files compressed that lie in the tree as they are. */
const plain = (path: string): string => path.replace(/^\.\//, '').replace(/\.gz$/, '');
