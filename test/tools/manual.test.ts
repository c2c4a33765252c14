import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { DIST, hnet } from './program.ts';

const MANUAL = join(DIST, 'man');
const pages = (): string[] => readdirSync(MANUAL).map(name => join(MANUAL, name));

describe('the manual pages', () => {
  it('are what mandoc has no warning for', async () => {
    expect(pages()).to.have.length.above(10);
    const { stdout } = await execa('mandoc', ['-T', 'lint', '-W', 'warning', ...pages()], { reject: false });
    expect(stdout).to.equal('');
  });

  it('have a name and a summary, by which apropos finds them', async () => {
    for (const page of pages()) {
      const { stdout } = await execa('lexgrog', [page]);
      const [, name] = /\/([^/]+)\.\d$/.exec(page) ?? [];
      expect(stdout).to.match(new RegExp(`^\\S+: "${name} - \\S.*"$`));
    }
  });

  it('are opened by help, where they are installed; elsewhere it prints what --help prints', async () => {
    const installed = mkdtempSync(join(tmpdir(), 'hnet-man-'));
    try {
      for (const page of pages()) {
        const place = join(installed, `man${page.slice(-1)}`);
        mkdirSync(place, { recursive: true });
        copyFileSync(page, join(place, basename(page)));
      }
      const ask = async (words: string[], MANPATH: string) => {
        const [program = '', ...args] = hnet(words);
        const { stdout } = await execa(program, args, { env: { MANPATH, MANWIDTH: '120' } });
        return stdout;
      };
      expect(await ask(['help', 'assign'], installed)).to.match(
        /^HNET-ASSIGN\(8\)[^\0]*\n +hnet assign \[--nic MAC\]/,
      );
      expect(await ask(['help', 'base', 'up'], installed)).to.match(/^HNET-BASE\(8\)/);
      expect(await ask(['help'], installed)).to.match(/^HNET\(8\)/);
      expect(await ask(['help', 'assign'], '/nonexistent')).to.equal(
        await ask(['assign', '--help'], installed),
      );
    } finally {
      rmSync(installed, { recursive: true });
    }
  });
});
