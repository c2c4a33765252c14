import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The rooms from the ground up (docs/design.md): a file imports from its own folder and from those above it here. */
const FOLDERS = [
  'model',
  'resources',
  'firewall',
  'plan',
  'host',
  'state',
  'cluster',
  'lifecycle',
  'libvirt',
  'moves',
  'assign',
  'repair',
  'guest',
  'doctor',
  'cli',
];
/** The page's own, from the ground up; texts.ts and index.tsx lie beside them. Of src/ it has only the model. */
const PAGE = [
  'src/model',
  'cockpit/src/model',
  'cockpit/src/door',
  'cockpit/src',
  'cockpit/src/parts',
  'cockpit/src/dialogs',
  'cockpit/src/views',
];
/** They compute: they run nothing, read nothing and await nothing. */
const PURE = ['model', 'resources', 'firewall', 'plan'];
/** So many files may stand on each other, from an entry point down to a file that imports nothing. */
const FLOORS = 12;
/** So many lines a function may have. A part of the page is mostly the elements that it shows. */
const LINES = { program: 39, page: 40 };

/** What opens a file by itself, and why no pipe makes it wait. */
const OPENERS: Readonly<Record<string, string>> = {
  'src/host/files.ts': 'is where the others open theirs',
  'src/host/lock.ts': 'opens to read and write, which waits for nobody',
  'src/host/host.ts': "sets the kernel's settings",
  'src/host/compiled.ts': 'reads the program',
  'src/state/config-file.ts': 'reads what files.ts has opened',
  'src/guest/seed-image.ts': 'writes into a directory that it has made',
  'src/cli/commands/guest.ts': 'reads what the user names, who may wait for a pipe',
  'src/cli/commands/generate.ts': 'is called by the build',
  'hooks/input.ts': 'reads standard input',
};
const OPENS =
  /\b(?:createReadStream|createWriteStream|(?:open|readFile|writeFile|appendFile|copyFile)Sync)\(/;

const FILES = ['src', 'hooks', 'bin', 'cockpit/src'].flatMap(directory =>
  readdirSync(join(ROOT, directory), { recursive: true, encoding: 'utf8' })
    .filter(name => /\.tsx?$/.test(name))
    .map(name => join(directory, name)),
);

/** Every import and re-export, types too; modules that aren't the project's by their name. */
const IMPORT = /^(?:import|export)\s+(?:[^;'"]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;

function importsOf(file: string): string[] {
  return [...code(file).matchAll(IMPORT)].map(([, name, dynamic]) => {
    const target = name ?? dynamic ?? '';
    return target.startsWith('.') ? normalize(join(dirname(file), target)) : target;
  });
}

/** The text of a file without its comments. */
const code = (file: string): string =>
  readFileSync(join(ROOT, file), 'utf8')
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/^\s*\/\/.*$/gm, '');

const imports = new Map(FILES.map(file => [file, importsOf(file)]));
const folderOf = (file: string): string => /^src\/([^/]+)\//.exec(file)?.[1] ?? '';
const isOfPage = (file: string): boolean => file.startsWith('cockpit/');
const isPure = (file: string): boolean =>
  PURE.includes(folderOf(file)) || file.startsWith('cockpit/src/model/');

interface Length {
  readonly name: string;
  readonly lines: number;
}

/** Every function of a file, with its lines from the first word to the closing brace; those within another too. */
function functionsOf(file: string): Length[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(join(ROOT, file), 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const lineAt = (position: number): number => source.getLineAndCharacterOfPosition(position).line;
  const found: Length[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node)) {
      const first = lineAt(node.getStart(source));
      found.push({ name: `${file}:${first + 1}`, lines: lineAt(node.end) - first + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Everything that a file reaches through imports, modules of others too. */
function reachedFrom(file: string, seen = new Set<string>()): Set<string> {
  for (const next of imports.get(file) ?? []) {
    if (seen.has(next)) continue;
    seen.add(next);
    reachedFrom(next, seen);
  }
  return seen;
}

/** The longest way down from a file. */
function longestWay(file: string, known: Map<string, readonly string[]>): readonly string[] {
  const found = known.get(file);
  if (found !== undefined) return found;
  const below = (imports.get(file) ?? []).filter(one => imports.has(one)).map(one => longestWay(one, known));
  const way = [file, ...(below.sort((a, b) => b.length - a.length)[0] ?? [])];
  known.set(file, way);
  return way;
}

describe('architecture', () => {
  it('every file lies in a folder, and the test knows each', () => {
    expect(new Set(FILES.filter(file => file.startsWith('src/')).map(folderOf))).to.deep.equal(
      new Set(FOLDERS),
    );
    for (const file of FILES)
      for (const name of imports.get(file) ?? []) if (/\.tsx?$/.test(name)) expect(FILES).to.include(name);
  });

  it('every folder opens with one sentence that says what may live there', () => {
    for (const folder of new Set(FILES.map(dirname))) {
      const readme = join(ROOT, folder, 'README.md');
      expect(existsSync(readme), `${folder}/README.md`).to.equal(true);
      expect(readFileSync(readme, 'utf8')).to.match(/^[A-Z`](?:[^\n]|\n(?!\n))*?\.\n/, folder);
    }
  });

  it('a file imports from its own folder and from those below it', () => {
    const floorOf = (file: string): number => {
      const folder = FOLDERS.indexOf(folderOf(file));
      return folder === -1 ? FOLDERS.length : folder;
    };
    for (const file of FILES.filter(one => !isOfPage(one)))
      for (const one of imports.get(file) ?? [])
        if (FILES.includes(one)) expect(floorOf(one), `${file} imports ${one}`).to.be.at.most(floorOf(file));
  });

  it("the page stands beside the program: it has hnet's model, and nothing has the page", () => {
    for (const file of FILES)
      for (const one of imports.get(file) ?? []) {
        const told = `${file} imports ${one}`;
        if (!isOfPage(file)) expect(isOfPage(one), told).to.equal(false);
        else if (FILES.includes(one))
          expect(PAGE.indexOf(dirname(one)), told).to.be.within(
            0,
            file.endsWith('index.tsx') ? PAGE.length : PAGE.indexOf(dirname(file)),
          );
      }
  });

  for (const file of FILES.filter(isPure)) {
    it(`${file} is pure`, () => {
      expect([...reachedFrom(file)].filter(name => name.startsWith('node:'))).to.deep.equal([]);
      expect(code(file)).not.to.match(
        /\b(await|async|Promise|setTimeout|process\.|Date\.now|Math\.random)\b/,
      );
    });
  }

  it('no hook reaches libvirt: libvirt waits for the hook, and the hook would wait for libvirt', () => {
    for (const file of FILES.filter(name => name.startsWith('hooks/'))) {
      const reached = [...reachedFrom(file)];
      expect(
        reached.filter(name => FOLDERS.indexOf(folderOf(name)) > FOLDERS.indexOf('lifecycle')),
      ).to.deep.equal([]);
      expect(reached).not.to.include('koffi');
    }
    expect([...reachedFrom('hooks/program.ts')]).to.include('src/lifecycle/hook.ts');
  });

  it('files are opened in one place, for a pipe may stand where a file of ours should be', () => {
    const opening = FILES.filter(
      file => /from 'node:fs(\/promises)?'/.test(code(file)) && OPENS.test(code(file)),
    );
    expect(opening.sort()).to.deep.equal(Object.keys(OPENERS).sort());
  });

  it(`no function has more than ${LINES.program} lines, of the page ${LINES.page}`, () => {
    const long = FILES.flatMap(file =>
      functionsOf(file).filter(({ lines }) => lines > LINES[isOfPage(file) ? 'page' : 'program']),
    );
    expect(long.map(({ name, lines }) => `${name} has ${lines}`)).to.deep.equal([]);
  });

  it('nothing is imported in circles', () => {
    for (const file of FILES) expect(reachedFrom(file).has(file), file).to.equal(false);
  });

  it(`at most ${FLOORS} files stand on each other`, () => {
    const known = new Map<string, readonly string[]>();
    for (const file of FILES) {
      const way = longestWay(file, known);
      expect(way, way.join(' > ')).to.have.length.at.most(FLOORS);
    }
  });
});
