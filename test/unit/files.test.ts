import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  append,
  linkAtomically,
  readIfThere,
  readShortIfThere,
  writeAtomically,
} from '../../src/host/files.ts';

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
    expect(readIfThere(pipe)).to.equal(undefined);
    expect(readShortIfThere(pipe)).to.equal('');
    const somebody = openSync(pipe, 'r+');
    expect(readIfThere(pipe)).to.equal(undefined);
    expect(readShortIfThere(pipe)).to.equal(undefined);
    closeSync(somebody);
  });

  it("is a setting of the kernel's", () => {
    expect(readShortIfThere('/proc/sys/net/ipv4/conf/lo/arp_filter')).to.match(/^[012]\n$/);
  });
});

describe('a file that is written', () => {
  let home = '';
  let file = '';
  const ends: (() => void)[] = [];
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'hnet-'));
    file = join(home, 'file');
  });
  afterEach(() => {
    for (const end of ends.splice(0)) end();
    rmSync(home, { recursive: true });
  });

  const pipe = (path: string) => execFileSync('mkfifo', [path]);
  /** What may stand in its place. */
  const strangers: Readonly<Record<string, (path: string) => unknown>> = {
    'a pipe': pipe,
    'a pipe that somebody reads': path => {
      pipe(path);
      const somebody = openSync(path, 'r+');
      ends.push(() => closeSync(somebody));
    },
    'a directory': path => mkdirSync(path),
    'a link to a file of others': path => {
      writeFileSync(join(home, 'other'), 'theirs');
      symlinkSync(join(home, 'other'), path);
    },
    'a link to nothing': path => symlinkSync(join(home, 'nothing'), path),
    'a socket': path =>
      new Promise<void>(resolve => {
        const server = createServer().listen(path, resolve);
        ends.push(() => server.close());
      }),
    'a device': path => execFileSync('mknod', [path, 'c', '1', '3']),
    'a file': path => writeFileSync(path, ''),
    nothing: () => undefined,
  };
  const writers: Readonly<Record<string, () => void>> = {
    whole: () => writeAtomically(file, 'ours'),
    'at its end': () => append(file, 'ours'),
  };

  for (const [how, write] of Object.entries(writers))
    for (const [what, put] of Object.entries(strangers))
      it(`is ours, where ${what} stood, and is written ${how}`, async () => {
        await put(file);
        if (how === 'whole') await put(`${file}~`);
        write();
        expect(lstatSync(file).isFile()).to.equal(true);
        expect(lstatSync(file).mode & 0o777).to.equal(what === 'a file' && how !== 'whole' ? 0o644 : 0o600);
        expect(readFileSync(file, 'utf8')).to.equal('ours');
        expect(existsSync(`${file}~`)).to.equal(false);
        expect(readIfThere(join(home, 'other')) ?? 'theirs').to.equal('theirs');
        expect(existsSync(join(home, 'nothing'))).to.equal(false);
      });

  for (const [what, put] of Object.entries(strangers))
    it(`is ours as a link, where ${what} stood`, async () => {
      await put(`${file}~`);
      linkAtomically(file, 'target');
      expect(lstatSync(file).isSymbolicLink()).to.equal(true);
    });

  it('takes no room from a directory that holds something', () => {
    mkdirSync(file);
    writeFileSync(join(file, 'one'), '');
    expect(() => append(file, 'ours')).to.throw(/ENOTEMPTY/);
    expect(() => writeAtomically(file, 'ours')).to.throw(/ENOTEMPTY/);
  });
});
