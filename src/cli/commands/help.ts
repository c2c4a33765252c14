import type { Command } from 'commander';
import { show } from '../../host/manual.ts';
import { quote, UsageRefusal } from '../../model/refusal.ts';

/** Opens the manual page of a command, of the program without words; where that isn't to be had, prints its help. */
export function help(program: Command, words: readonly string[]): void {
  const page = words.reduce(below, program);
  if (!show(['hnet', ...words.slice(0, 1)].join('-'))) page.outputHelp();
}

function below(command: Command, word: string): Command {
  const found = command.commands.find(one => one.name() === word);
  if (found === undefined)
    throw new UsageRefusal(
      `Cannot explain ${quote(word)}: there is no such command; hnet --help shows the commands`,
    );
  return found;
}
