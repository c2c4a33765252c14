import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCES = ['src', 'hooks', 'bin'].flatMap(directory =>
  readdirSync(join(ROOT, directory), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => join(directory, name)),
);

/** The pure floors (docs/design.md, "Rooms and floors"): they run nothing, read nothing and await nothing. */
const PURE = SOURCES.filter(file =>
  /^src\/(model\/.*|resources\/.*|firewall\/.*|plan\/plan|lifecycle\/admission|assign\/allocate|libvirt\/nic|cli\/table)\.ts$/.test(
    file,
  ),
);

interface Import {
  readonly from: string;
  /** A file of the project, or a module's name. */
  readonly of: string;
  readonly typeOnly: boolean;
}

const IMPORT =
  /^(?:import|export)\s+(type\s+)?(?:[^;'"]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;

function importsOf(file: string): Import[] {
  return [...code(file).matchAll(IMPORT)].map(([, type, name, dynamic]) => {
    const target = name ?? dynamic ?? '';
    const of = target.startsWith('.') ? normalize(join(dirname(file), target)) : target;
    return { from: file, of, typeOnly: type !== undefined };
  });
}

/** The text of a file without its comments. */
const code = (file: string): string =>
  readFileSync(join(ROOT, file), 'utf8')
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/^\s*\/\/.*$/gm, '');

const imports = new Map(SOURCES.map(file => [file, importsOf(file)]));
const needed = (file: string): string[] =>
  (imports.get(file) ?? []).filter(({ typeOnly }) => !typeOnly).map(({ of }) => of);

/** Everything that is loaded when this file is, itself included; modules of others too. */
function loadedBy(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const next of needed(file)) loadedBy(next, seen);
  return seen;
}

describe('architecture', () => {
  it('is seen by this test', () => {
    expect(PURE).to.include.members([
      'src/model/address.ts',
      'src/resources/bridge.ts',
      'src/firewall/iptables/iptables.ts',
    ]);
    expect(needed('hooks/program.ts')).to.include.members(['src/lifecycle/hook.ts', 'hooks/input.ts']);
    expect([...loadedBy('hooks/program.ts')]).to.include.members([
      'src/plan/walker.ts',
      'node:child_process',
    ]);
    expect(imports.get('src/plan/walker.ts')).to.deep.include({
      from: 'src/plan/walker.ts',
      of: 'src/host/host.ts',
      typeOnly: true,
    });
    for (const file of SOURCES)
      for (const name of needed(file)) if (name.endsWith('.ts')) expect(SOURCES).to.include(name);
  });

  for (const file of PURE) {
    it(`${file} is pure: it loads no module of Node's, nor anything that does`, () => {
      const loaded = [...loadedBy(file)];
      expect(loaded.filter(name => name.startsWith('node:'))).to.deep.equal([]);
      expect(loaded.filter(name => name.startsWith('src/') && !PURE.includes(name))).to.deep.equal([]);
      expect(code(file)).not.to.match(
        /\b(await|async|Promise|setTimeout|process\.|Date\.now|Math\.random)\b/,
      );
    });
  }

  it('no hook calls libvirt: libvirt waits for the hook, and the hook would wait for libvirt', () => {
    for (const file of SOURCES.filter(name => name.startsWith('hooks/'))) {
      expect([...loadedBy(file)].filter(name => /libvirt|koffi|virsh/.test(name))).to.deep.equal([]);
    }
  });

  it('nothing is loaded in circles', () => {
    for (const file of SOURCES) {
      const circle = needed(file).filter(name => loadedBy(name).has(file));
      expect(circle, file).to.deep.equal([]);
    }
  });

  it('imports go down: entrances, commands and hook, attach, the walker, the doors, the pure floors', () => {
    const floors = [
      /^(hooks|bin)\//,
      /^src\/cli\/cli\.ts$/,
      /^src\/(lifecycle\/hook|assign\/change|cli\/commands\/.*)\.ts$/,
      /^src\/(repair\/(mend|faults|pulse|source)|lifecycle\/(reconfigure|transfer)|doctor\/.*)\.ts$/,
      /^src\/(lifecycle\/(attach|base)|host\/flows|repair\/(health|survey)|assign\/inventory)\.ts$/,
      /^src\/plan\/walker\.ts$/,
    ];
    const floorOf = (file: string): number => {
      const floor = floors.findIndex(pattern => pattern.test(file));
      return floor === -1 ? floors.length : floor;
    };
    for (const { from, of } of [...imports.values()].flat()) {
      if (SOURCES.includes(of)) expect(floorOf(of), `${from} imports ${of}`).to.be.at.least(floorOf(from));
    }
    for (const file of ['src/lifecycle/hook.ts', 'src/lifecycle/attach.ts']) {
      expect([...loadedBy(file)].filter(name => name.startsWith('src/cli/commands/'))).to.deep.equal([]);
    }
  });
});
