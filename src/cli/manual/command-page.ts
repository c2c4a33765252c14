/** The page of a command. */
import type { Command } from 'commander';
import { pathOf, verbOf } from '../tree/tree.ts';
import type { Example } from '../tree/verb.ts';
import { bold, entry, indented, type Page, paragraphs, prose, proseOf, reference } from './roff.ts';
import { argumentName, examplesOf, ofArgument, ofOption, pageName, termOf, visibleOptions } from './terms.ts';

export function commandPage(command: Command): Page {
  return {
    name: pageName(command),
    section: 8,
    summary: command.summary(),
    parts: [
      ['SYNOPSIS', paragraphs(synopsisOf(command).map(line => [line]))],
      ['DESCRIPTION', paragraphs(proseOf(command.description().split('\n\n')))],
      ['COMMANDS', command.commands.flatMap(describe)],
      ['ARGUMENTS', command.registeredArguments.flatMap(ofArgument)],
      ['OPTIONS', visibleOptions(command).flatMap(ofOption)],
      ['EXAMPLES', examplesOf([...new Map([command, ...command.commands].flatMap(exampleEntries))])],
      ['EXIT STATUS', [`As ${reference('hnet', 8)} says.`]],
      ['SEE ALSO', [[reference('hnet', 8), reference('hnet.toml', 5)].join(', ')]],
    ],
  };
}

// One below it may have the same.
const exampleEntries = (command: Command): readonly Example[] => verbOf(command)?.examples ?? [];

/** How a command is called, or each of those below it. */
const synopsisOf = (command: Command): string[] =>
  command.commands.length > 0 ? command.commands.flatMap(synopsisOf) : [callOf(command)];

const callOf = (command: Command): string =>
  [
    bold(['hnet', ...pathOf(command)].join(' ')),
    ...visibleOptions(command).map(option => `[${termOf(option)}]`),
    ...command.registeredArguments.map(one => (one.required ? argumentName(one) : `[${argumentName(one)}]`)),
  ].join(' ');

/** A command below another, in the page of that. */
const describe = (command: Command): string[] => [
  ...entry(callOf(command), prose(command.description())),
  ...indented([
    ...command.registeredArguments.flatMap(ofArgument),
    ...visibleOptions(command).flatMap(ofOption),
  ]),
];
