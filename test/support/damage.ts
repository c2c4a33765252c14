import fc from 'fast-check';

/** Something that happens to one of some files: both by number, so that a failure can be played again. */
export interface Damage {
  readonly what: (typeof KINDS)[number];
  readonly file: number;
  /** Where in it, or which other file. */
  readonly where: number;
}

const KINDS = [
  'cut off',
  'one bit changed',
  'emptied',
  'garbage',
  'deleted',
  'swapped with another',
  'a copy of another',
  'one line lost',
  'a directory',
  'a pipe',
  'a dangling link',
  'zeros from there on',
  'JSON of another kind',
] as const;

export const damage: fc.Arbitrary<Damage> = fc.record({
  what: fc.constantFrom(...KINDS),
  file: fc.nat(9999),
  where: fc.nat(9999),
});

/** A script for a machine that damages hnet's own files there, and prints what it did. */
export const damageScript = (damages: readonly Damage[]): string =>
  `${process.execPath} -e "$(cat <<'END'${INFLICT}\nEND\n)" '${JSON.stringify(damages)}' /run/hnet /var/lib/hnet`;

/** For node: the arguments are the damages as JSON, and the directories. */
const INFLICT = `
const fs = require('node:fs'), path = require('node:path'), { execFileSync } = require('node:child_process');
const [, damages, ...directories] = process.argv;
for (const { what, file, where } of JSON.parse(damages)) {
  const all = directories.flatMap(one => fs.readdirSync(one, { recursive: true, withFileTypes: true }))
    .filter(one => !one.isDirectory()).map(one => path.join(one.parentPath ?? one.path, one.name))
    .filter(one => !one.endsWith('.lock')).sort();
  if (all.length === 0) continue;
  const one = all[file % all.length], other = all[where % all.length];
  const isLink = fs.lstatSync(one).isSymbolicLink();
  process.stdout.write(what + ' ' + one + (/another/.test(what) ? ' ' + other : '') + '\\n');
  const put = data => { fs.rmSync(one, { recursive: true, force: true }); fs.writeFileSync(one, data); };
  const data = isLink ? Buffer.from(fs.readlinkSync(one)) : fs.statSync(one).isFile() ? fs.readFileSync(one) : Buffer.alloc(0);
  const at = data.length === 0 ? 0 : where % data.length;
  switch (what) {
    case 'cut off': put(data.subarray(0, at)); break;
    case 'one bit changed': if (data.length > 0) data[at] ^= 1 << (where % 8); put(data); break;
    case 'emptied': put(''); break;
    case 'garbage': put(Buffer.from(Array.from({ length: 300 }, (_, n) => (n * 7919 + where) % 256))); break;
    case 'deleted': fs.rmSync(one, { recursive: true }); break;
    case 'swapped with another':
      if (one === other) break;
      execFileSync('sh', ['-ec', 'mv "$0" "$0.x"; mv "$1" "$0"; mv "$0.x" "$1"', one, other]); break;
    case 'a copy of another': execFileSync('cp', ['-a', '--remove-destination', other, one + '.x']); fs.rmSync(one, { recursive: true }); fs.renameSync(one + '.x', one); break;
    case 'one line lost': { const lines = data.toString().split('\\n'); lines.splice(where % lines.length, 1); put(lines.join('\\n')); break; }
    case 'a directory': fs.rmSync(one, { recursive: true, force: true }); fs.mkdirSync(one); break;
    case 'a pipe': fs.rmSync(one, { recursive: true, force: true }); execFileSync('mkfifo', [one]); break;
    case 'zeros from there on': put(Buffer.concat([data.subarray(0, at), Buffer.alloc(data.length - at)])); break;
    case 'JSON of another kind': put(['null', '[]', '{}', '1', '""'][where % 5]); break;
    case 'a dangling link': fs.rmSync(one, { recursive: true, force: true }); fs.symlinkSync('../attachments/11111111-2222-3333-4444-555555555555.json', one); break;
  }
}`;
