/** What a script of completion is made of. */
import type { Words } from '../tree/words.ts';

/** A word that one gives: an argument, or the value of an option. */
export interface Given {
  readonly name: string;
  readonly words: Words;
  readonly repeats: boolean;
}

/** An option. */
export interface Flag {
  readonly names: readonly string[];
  readonly meaning: string;
  readonly repeats: boolean;
  readonly value?: Given;
}

export interface Shown {
  /** The words by which it is called, as `forward add`. */
  readonly path: readonly string[];
  readonly summary: string;
  /** Whether there are commands below it, of which one must follow. */
  readonly isParent: boolean;
  readonly places: readonly Given[];
  readonly flags: readonly Flag[];
}

export interface Outline {
  /** Options that stand before the command. */
  readonly flags: readonly Flag[];
  readonly commands: readonly Shown[];
}

/** A command as the scripts name it while they read a line. */
export const commandName = ({ path }: Shown): string => path.join(' ');

/** The last words of the commands below one, or of those of the program. */
export const below = ({ commands }: Outline, path: readonly string[] = []): readonly Shown[] =>
  commands.filter(
    one => one.path.length === path.length + 1 && path.every((word, at) => one.path[at] === word),
  );

export const lastWord = ({ path }: Shown): string => path.at(-1) ?? '';

/** The options that take a value, by the command before them: '' for those of the program. */
export const takingValues = ({ flags, commands }: Outline): { command: string; names: readonly string[] }[] =>
  [{ command: '', flags }, ...commands.map(one => ({ command: commandName(one), flags: one.flags }))].flatMap(
    ({ command, flags: own }) =>
      own.filter(({ value }) => value !== undefined).map(({ names }) => ({ command, names })),
  );

export const MADE = '# Made of the tree of commands when hnet was built; hnet completion prints it.';
