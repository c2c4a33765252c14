import { shellWord } from '../../model/shell.ts';
import type { Words } from '../tree/words.ts';
import { OFFERING, READING } from './bash-text.ts';
import {
  below,
  commandName,
  type Flag,
  type Given,
  lastWord,
  MADE,
  type Outline,
  type Shown,
  takingValues,
} from './shape.ts';

/** The script for bash 4.4 and newer. It needs nothing of bash-completion's, which loads it. */
export const bashScript = (outline: Outline): string =>
  [
    `# bash completion for hnet\n${MADE}\n`,
    OFFERING,
    valueFunction(outline),
    flagsFunction(outline),
    argumentFunction(outline),
    takesFunction(outline),
    parentsFunction(outline),
    READING,
  ].join('\n');

/** Offers what may be the value of an option. */
const valueFunction = ({ flags, commands }: Outline): string => `\
_hnet_value() {
  case $1 in
${cases(commands.flatMap(optionCases))}
${cases(flags.flatMap(flag => caseOf('', flag)))}
    *) return 1 ;;
  esac
}
`;

/** Offers the options of the command so far. */
const flagsFunction = ({ flags, commands }: Outline): string => `\
_hnet_flags() {
  case $command in
${cases([['', namesOf(flags)] as const, ...commands.map(one => [commandName(one), namesOf(one.flags)] as const)].map(([name, names]) => [shellWord(name), `_hnet_words ${names}`]))}
  esac
}
`;

/** Offers what may be the next argument: a command, or a word of its own. */
const argumentFunction = (outline: Outline): string => `\
_hnet_argument() {
  case "$command \${#given[@]}" in
    ' 0') _hnet_words ${below(outline).map(lastWord).join(' ')} ;;
${cases(outline.commands.filter(one => one.isParent).map((one): Case => [`${shellWord(`${commandName(one)} 0`)}`, `_hnet_words ${below(outline, one.path).map(lastWord).join(' ')}`]))}
${cases(outline.commands.flatMap(placeCases))}
  esac
}
`;

const takesFunction = (outline: Outline): string => `\
# What takes a value, for the command so far.
_hnet_takes() {
  case "$command $1" in
    ${takers(outline)}) return 0 ;;
    *) return 1 ;;
  esac
}
`;

const parentsFunction = ({ commands }: Outline): string => `\
_hnet_has_commands() {
  case $command in
    ${["''", ...commands.filter(one => one.isParent).map(one => shellWord(commandName(one)))].join(' | ')}) return 0 ;;
    *) return 1 ;;
  esac
}
`;

type Case = readonly [pattern: string, command: string];

const cases = (all: readonly Case[]): string =>
  all.map(([pattern, command]) => `    ${pattern}) ${command} ;;`).join('\n');

const optionCases = (one: Shown): Case[] => one.flags.flatMap(flag => caseOf(commandName(one), flag));

const caseOf = (command: string, { names, value }: Flag): Case[] =>
  value === undefined ? [] : [[patterns(command, names), offer(value.words)]];

const patterns = (command: string, names: readonly string[]): string =>
  names.map(name => shellWord(`${command} ${name}`)).join(' | ');

const placeCases = (one: Shown): Case[] =>
  one.places.map(({ words, repeats }: Given, at) => [
    `'${commandName(one)} '${repeats ? '*' : at}`,
    offer(words),
  ]);

const takers = (outline: Outline): string =>
  takingValues(outline)
    .map(({ command, names }) => patterns(command, names))
    .join(' | ');

const namesOf = (flags: readonly Flag[]): string => flags.flatMap(({ names }) => names).join(' ');

function offer(words: Words): string {
  if (words === 'files') return '_hnet_files';
  return 'ask' in words ? `_hnet_ask ${words.ask}` : `_hnet_words ${words.map(shellWord).join(' ')}`;
}
