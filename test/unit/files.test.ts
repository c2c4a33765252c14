import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readIfThere, readShortIfThere } from '../../src/host/files.ts';

describe('a file read in short', () => {
  let home = '';
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'hnet-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  for (const [what, text] of [
    ['nothing', ''],
    ['one line', '1\n'],
    ['other letters', 'Müller €\n'],
    ['as much as is read at once', 'x'.repeat(4096)],
    ['a byte less', 'x'.repeat(4095)],
    // firewalld's policy of a host with many pools.
    ['much more', 'ä line\n'.repeat(5000)],
  ] as const) {
    it(`is read whole: ${what}`, () => {
      const file = join(home, 'file');
      writeFileSync(file, text);
      expect(readShortIfThere(file)).to.equal(text);
      expect(readIfThere(file)).to.equal(text);
    });
  }

  it('says nothing of what was there before', () => {
    const [long, short] = [join(home, 'long'), join(home, 'short')];
    writeFileSync(long, 'y'.repeat(4000));
    writeFileSync(short, 'z');
    expect([readShortIfThere(long)?.length, readShortIfThere(short)]).to.deep.equal([4000, 'z']);
  });

  it('may be missing, a directory, or lie below what is none; anything else is an error', () => {
    writeFileSync(join(home, 'file'), '');
    for (const path of [join(home, 'none'), join(home, 'file/below'), home])
      expect(readShortIfThere(path), path).to.equal(undefined);
    expect(() => readShortIfThere(join(home, 'x'.repeat(300)))).to.throw(/ENAMETOOLONG/);
  });

  it('is nothing where a pipe stands in its place, and nobody waits for one', () => {
    const pipe = join(home, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(readIfThere(pipe)).to.equal('');
    expect(readShortIfThere(pipe)).to.equal('');
  });

  it("is a setting of the kernel's", () => {
    expect(readShortIfThere('/proc/sys/net/ipv4/conf/lo/arp_filter')).to.match(/^[012]\n$/);
  });
});
