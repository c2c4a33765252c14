import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { Command } from 'commander';
import { pathOf, verbOf } from '../../src/cli/tree/tree.ts';
import { reason } from '../../src/model/refusal.ts';
import { family, readGroups, readTree, treeFiles } from '../support/tree.ts';

describe('the tree of commands', () => {
  let tree: Command;
  before(async () => {
    tree = await readTree();
  });

  it('is made of groups that each have a heading of their own in the help', async () => {
    const shown = (await readGroups()).filter(({ isHidden }) => isHidden !== true);
    const help = tree.helpInformation();
    expect(shown).to.have.length.above(4);
    for (const { title, verbs } of shown) expect(help).to.include(`\n${title}:\n  ${verbs[0]?.name}`);
  });

  it('is that of the program', async () => {
    const program = readFileSync(new URL('../../bin/cli.ts', import.meta.url), 'utf8');
    for (const file of treeFiles()) expect(program).to.include(`/tree/${file}'`);
  });

  it('does not show what only other programs call', async () => {
    const hidden = (await readGroups()).filter(({ isHidden }) => isHidden).flatMap(({ verbs }) => verbs);
    expect(hidden.map(({ name }) => name)).to.include('base');
    for (const { name } of hidden)
      expect(tree.helpInformation()).not.to.match(new RegExp(`^  ${name}\\b`, 'm'));
  });

  it('says of each command what it does, in a line', () => {
    for (const command of family(tree).slice(1)) {
      expect(command.summary(), command.name()).to.match(/^[a-z].*[^.]$/);
      expect(command.description(), command.name()).to.match(/^[A-Z][^\0]*\.$/);
    }
  });

  it('says for each word that one gives what TAB offers, be it nothing', () => {
    const known = ['domain', 'command'];
    for (const command of tree.createHelp().visibleCommands(tree).flatMap(family)) {
      const words = Object.keys(verbOf(command)?.words ?? {});
      const values = command.options.filter(({ required, argChoices }) => required && !argChoices);
      const places = [
        ...command.registeredArguments.map(one => one.name()),
        ...values.map(({ long }) => long),
      ];
      expect([...words, ...known], command.name()).to.include.members(places);
      expect(places, command.name()).to.include.members(words);
    }
  });

  it('says what may have been meant by a wrong word, of what it shows', async () => {
    expect(await complaint('stauts')).to.include('Did you mean status?');
    expect(await complaint('status', '--jsn')).to.include('Did you mean --json?');
    expect(await complaint('forward', 'lst')).to.include('Did you mean list?');
    expect(await complaint('help', 'asign')).to.equal(
      'Cannot explain "asign": there is no such command; did you mean "assign"?',
    );
    expect(await complaint('bas')).not.to.include('base');
  });

  it('has examples that it takes itself', async () => {
    for (const command of family(await readTree()).slice(1)) {
      const examples = verbOf(command)?.examples ?? [];
      expect(examples.length, command.name()).to.be.at.least(2);
      for (const [run, does] of examples) {
        expect(does, run).to.match(/^\S.*[^.]$/);
        if (run.startsWith('hnet '))
          expect(`${await calledBy(run)} `, run).to.match(new RegExp(`^${pathOf(command).join(' ')} `));
      }
    }
  });
});

/** Why a command line is refused. */
async function complaint(...argv: string[]): Promise<string> {
  const tree = await readTree();
  for (const command of family(tree)) command.configureOutput({ writeErr: () => undefined });
  try {
    tree.parse(argv, { from: 'user' });
    return '';
  } catch (error) {
    return reason(error);
  }
}

/** The command of hnet's that a line of shell calls, with arguments and options that it takes; empty if it calls none. */
async function calledBy(line: string): Promise<string> {
  const called: string[] = [];
  const tree = await readTree();
  for (const command of family(tree))
    if (verbOf(command)?.define !== undefined) command.action(() => void called.push(...pathOf(command)));
  const [program, ...words] = (line.split(' | ')[0] ?? '').split(' ');
  if (program === 'hnet') tree.parse(words, { from: 'user' });
  return called.join(' ');
}
