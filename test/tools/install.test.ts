import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const INSTALL = fileURLToPath(new URL('../../install.sh', import.meta.url));

describe('install.sh', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'hnet-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  it('runs no script of a package, nor of the project itself, when it fetches what is needed to build', () => {
    const mark = join(home, 'mark');
    const scripts = Object.fromEntries(
      ['preinstall', 'install', 'postinstall', 'prepare'].map(name => [name, `touch ${mark}`]),
    );
    mkdirSync(join(home, 'package'));
    writeFileSync(
      join(home, 'package/package.json'),
      JSON.stringify({ name: 'p', version: '1.0.0', scripts }),
    );
    const dependencies = { p: 'file:package' };
    writeFileSync(
      join(home, 'package.json'),
      JSON.stringify({ name: 'x', version: '1.0.0', scripts, dependencies }),
    );
    const npm = (...argv: string[]) =>
      execFileSync('npm', [...argv, '--offline'], { cwd: home, stdio: 'ignore' });
    npm('install', '--package-lock-only', '--ignore-scripts');
    // Proof that there would be something to see.
    npm('ci');
    expect(existsSync(mark)).to.equal(true);
    rmSync(mark);
    const functions = readFileSync(INSTALL, 'utf8')
      .replace(/^main "\$@"$/m, '')
      .replaceAll('/var/log/hnet-install.log', join(home, 'log'));
    execFileSync('sh', ['-c', `${functions}\nquiet=no\nfetch_dependencies`], { cwd: home, stdio: 'pipe' });
    expect(existsSync(join(home, 'node_modules/p/package.json'))).to.equal(true);
    expect(existsSync(mark)).to.equal(false);
  });
});
