/** How arguments, options and examples stand in a page. */
import type { Argument, Command, Option } from 'commander';
import type { Example } from '../tree/verb.ts';
import { bold, entry, example, italic, paragraphs, prose, sentence } from './roff.ts';

/** The name of a command's page: git, podman and systemd's tools name theirs so. */
export const pageName = (command: Command): string => `hnet-${command.name()}`;

export const examplesOf = (examples: readonly Example[]): string[] =>
  paragraphs(examples.map(([run, does]) => [prose(`${does}:`), ...example([run])]));

export const visibleOptions = (command: Command): Option[] => command.options.filter(({ hidden }) => !hidden);

/** `ADDRESS...`, of the argument `[address...]`. */
export const argumentName = (argument: Argument): string =>
  `${italic(argument.name().toUpperCase())}${argument.variadic ? '...' : ''}`;

export const ofArgument = (argument: Argument): string[] =>
  entry(argumentName(argument), sentence(argument.description));

export const ofOption = (option: Option): string[] => {
  const { description, argChoices: choices } = option;
  return entry(termOf(option), sentence(choices ? `${description}: ${choices.join(', ')}` : description));
};

/** `--nic MAC`, of the flags `--nic <mac>`. */
export function termOf({ flags }: Option): string {
  const [, names = flags, value] = /^(.*?)(?: <(.*)>)?$/.exec(flags) ?? [];
  const shown = names.split(', ').map(bold).join(', ');
  return value === undefined ? shown : `${shown} ${italic(value.toUpperCase())}`;
}
