/** Of the tree of commands what completion shows. */
import type { Command, Option } from 'commander';
import { pathOf, verbOf } from '../tree/tree.ts';
import type { Words } from '../tree/words.ts';
import type { Flag, Given, Outline, Shown } from './shape.ts';

export function readTree(program: Command): Outline {
  const commands = program.createHelp().visibleCommands(program);
  const names = commands.map(one => one.name());
  return {
    flags: [...flagsOf(program), { names: ['--help'], meaning: 'show the commands', repeats: false }],
    commands: commands.flatMap(one => shown(one, names)),
  };
}

/** A command, then those below it. */
function shown(command: Command, names: readonly string[]): Shown[] {
  const words = verbOf(command)?.words ?? {};
  const below = command.commands;
  const places = command.registeredArguments.map(
    (one): Given => ({
      name: one.name(),
      words: words[one.name()] ?? BY_NAME[one.name()] ?? (one.name() === 'command' ? names : []),
      repeats: one.variadic,
    }),
  );
  const own = {
    path: pathOf(command),
    summary: command.summary(),
    places,
    flags: flagsOf(command, words),
    isParent: below.length > 0,
  };
  return [own, ...below.flatMap(one => shown(one, names))];
}

/** What arguments of these names have everywhere. */
const BY_NAME: Readonly<Record<string, Words>> = { domain: { ask: 'domains' } };

const flagsOf = (command: Command, words: Readonly<Record<string, Words>> = {}): Flag[] =>
  command.options.filter(({ hidden }) => !hidden).map(option => toFlag(option, words[option.long ?? '']));

function toFlag(option: Option, words: Words | undefined): Flag {
  const { long, short, description: meaning, argChoices, parseArg, required } = option;
  const names = [short, long].filter(name => name !== undefined);
  // A parser of ours collects values.
  const repeats = parseArg !== undefined && argChoices === undefined;
  if (!required) return { names, meaning, repeats: false };
  return {
    names,
    meaning,
    repeats,
    value: { name: option.name(), words: words ?? argChoices ?? [], repeats },
  };
}
