import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { Command } from 'commander';
import { manual } from '../../src/cli/manual/manual.ts';
import { verbOf } from '../../src/cli/tree/tree.ts';
import { CONFIG_KEYS } from '../../src/model/config-keys.ts';
import { family, readTree } from '../support/tree.ts';

/** The text of a page, as one reads it. */
const textOf = (page = ''): string =>
  page
    .replaceAll(/\\f[BRI]|\\[%&]/g, '')
    .replaceAll('\\-', '-')
    .replaceAll('\\(ti', '~')
    .replaceAll('\\(aq', "'");

describe('the manual', () => {
  let tree: Command;
  let pages: Map<string, string>;
  before(async () => {
    tree = await readTree();
    pages = manual(tree, { version: '1.2.3', date: '2026-11-28' });
  });

  it('has a page for each command, with all that it takes', () => {
    for (const command of tree.commands) {
      const page = textOf(pages.get(`hnet-${command.name()}.8`));
      for (const { registeredArguments, options, examples } of family(command).map(contents)) {
        for (const one of [...registeredArguments, ...options]) expect(page, command.name()).to.include(one);
        for (const one of examples) expect(page).to.include(`\n.EX\n${one}\n.EE`);
      }
    }
    expect(pages.size).to.equal(tree.commands.length + 2);
  });

  it('has a page for the program, which names each command in its group, and each option', () => {
    const page = textOf(pages.get('hnet.8'));
    for (const one of tree.commands)
      expect(page).to.include(`.TP\n${one.name()}\n`).and.include(`hnet-${one.name()}(8)`);
    for (const one of tree.options) expect(page).to.include(one.long);
  });

  it('has a page for hnet.toml, with each key', () => {
    const page = textOf(pages.get('hnet.toml.5'));
    for (const [header, keys] of Object.entries(CONFIG_KEYS)) {
      const part = page.slice(page.indexOf(header === '' ? '.SH KEYS' : `.SS ${header}`));
      for (const name of Object.keys(keys)) expect(part).to.include(`.TP\n${name}\n`);
    }
  });

  it('says when it was made, and of which version', () => {
    for (const page of pages.values())
      expect(page.split('\n')[0]).to.match(/^\.TH \S+ [58] "2026-11-28" "hnet 1\.2\.3" "hnet manual"$/);
  });
});

/** What must be in the page of a command. */
function contents(command: Command) {
  const { registeredArguments, options } = command;
  return {
    registeredArguments: registeredArguments.map(one => `\n.TP\n${one.name().toUpperCase()}`),
    options: options
      .filter(({ hidden }) => !hidden)
      .map(({ short, long }) => `\n.TP\n${short === undefined ? '' : `${short}, `}${long}`),
    examples: (verbOf(command)?.examples ?? []).map(([run]) => run),
  };
}

describe('docs/reference.md', () => {
  const text = readFileSync(new URL('../../docs/reference.md', import.meta.url), 'utf8');

  it('has the keys of hnet.toml in its table, as the manual has them', () => {
    const rows = Object.entries(CONFIG_KEYS).flatMap(([header, keys]) =>
      Object.entries(keys).map(([name, { missing, text }], place) => {
        const table = header === '' || place > 0 ? '' : `\`${header}\` `;
        return `| ${table}\`${name}\` | ${missing} | ${text} |`;
      }),
    );
    expect(text).to.include(['| key | default | |', '|---|---|---|', ...rows, ''].join('\n'));
  });

  it('names each command that is shown, and each of its options', async () => {
    const tree = await readTree();
    for (const command of tree.createHelp().visibleCommands(tree)) {
      expect(text).to.include(`hnet ${command.name()}`);
      for (const { long, hidden } of command.options)
        if (!hidden) expect(text, command.name()).to.include(`${long}`);
    }
  });
});
