import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { Command } from 'commander';
import { asksForJson } from '../../src/cli/output.ts';
import { takesColour } from '../../src/cli/terminal.ts';
import { pathOf } from '../../src/cli/tree/tree.ts';
import { breaches, expectPromised, SCHEMAS, schemaOf, VARIANTS } from '../support/promised.ts';
import { family, readTree } from '../support/tree.ts';

/** Schemas that belong to no single command. */
const SHARED = ['common', 'error', 'event'];

const answers = (command: Command): boolean => command.options.some(({ long }) => long === '--json');

describe('what programs may rely on', () => {
  it('is a schema for each command with --json, and docs/json.md names them all', async () => {
    const commands = family(await readTree())
      .filter(answers)
      .map(command => pathOf(command).join('-'));
    const variants = Object.values(VARIANTS).map(({ schema }) => schema);
    expect([...SCHEMAS.keys()].sort()).to.deep.equal([...commands, ...variants, ...SHARED].sort());
    const page = readFileSync(new URL('../../docs/json.md', import.meta.url), 'utf8');
    for (const name of SCHEMAS.keys()) if (name !== 'common') expect(page).to.include(`schema/${name}.json`);
  });

  it('is schemas that are valid themselves, and say what each key means', () => {
    for (const [name, schema] of SCHEMAS) {
      expect(schema['title'], name).to.match(/^\S.*[^.]$/);
      if (name !== 'common') expect(breaches(name, null), name).to.include('must be object');
    }
  });

  it('knows which schema a command line is about', () => {
    expect(schemaOf(['doctor', '--json'])).to.equal('doctor');
    expect(schemaOf(['forward', 'list', '--json'])).to.equal('forward-list');
    expect(schemaOf(['doctor', 'vm1', '--json'])).to.equal('doctor-domain');
    expect(schemaOf(['--color', 'never', 'status', '--json', '--', '-x'])).to.equal('status');
  });

  it('is broken by a key that is missing, of another type or not described, and by an error without its code', () => {
    const good = { error: 'Cannot do it', warnings: [] };
    const tell = (answer: object, code = 1) =>
      expectPromised(['check', '--json'], { code, stdout: JSON.stringify(answer), stderr: '' });
    tell(good);
    tell({ ...good, faults: [] });
    tell({ faults: [], warnings: [] }, 3);
    for (const [answer, code] of [
      [{ error: 'Cannot do it' }, 1],
      [{ ...good, warnings: 'none' }, 1],
      [good, 0],
      [{ faults: [], warnings: [] }, 1],
      [{ faults: [], warnings: [], more: 1 }, 0],
      [{ faults: [{ domain: 'vm1' }], warnings: [] }, 3],
    ] as const)
      expect(() => tell(answer, code), JSON.stringify(answer)).to.throw();
  });

  it('asks for JSON before the command line is read, and not by an argument of that name', () => {
    expect(asksForJson(['status', '--jsno', '--json'])).to.equal(true);
    expect(asksForJson(['status', '--', '--json'])).to.equal(false);
    expect(asksForJson([])).to.equal(false);
  });
});

describe('colour', () => {
  for (const [why, choice, environment, isTerminal, expected] of [
    ['a terminal', 'auto', { TERM: 'xterm' }, true, true],
    ['a pipe', 'auto', { TERM: 'xterm' }, false, false],
    ['a terminal that has none', 'auto', { TERM: 'dumb' }, true, false],
    ['NO_COLOR', 'auto', { NO_COLOR: '1' }, true, false],
    ['NO_COLOR that is empty', 'auto', { NO_COLOR: '' }, true, true],
    ['CLICOLOR_FORCE', 'auto', { CLICOLOR_FORCE: '1', TERM: 'dumb' }, false, true],
    ['CLICOLOR_FORCE=0', 'auto', { CLICOLOR_FORCE: '0' }, false, false],
    ['NO_COLOR before CLICOLOR_FORCE', 'auto', { NO_COLOR: '1', CLICOLOR_FORCE: '1' }, true, false],
    ['--color=always before all of them', 'always', { NO_COLOR: '1', TERM: 'dumb' }, false, true],
    ['--color=never before all of them', 'never', { CLICOLOR_FORCE: '1' }, true, false],
  ] as const)
    it(`${why}: ${expected}`, () => expect(takesColour(choice, environment, isTerminal)).to.equal(expected));
});
