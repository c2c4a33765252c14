import type { Command } from 'commander';
import { show } from '../../host/manual.ts';
import { nearWords } from '../../model/near.ts';
import { quote, UsageRefusal } from '../../model/refusal.ts';
import { pathOf } from '../tree/tree.ts';

/** Opens the manual page of a command, of the program without words; where that isn't to be had, prints its help. */
export function help(program: Command, words: readonly string[]): void {
  const command = words.reduce(below, program);
  // Those below a command are in its page.
  const [name] = pathOf(command);
  if (!show(name === undefined ? 'hnet' : `hnet-${name}`)) command.outputHelp();
}

function below(command: Command, word: string): Command {
  const found = command.commands.find(one => one.name() === word || one.aliases().includes(word));
  if (found !== undefined) return found;
  const names = command
    .createHelp()
    .visibleCommands(command)
    .map(one => one.name());
  const near = nearWords(names, word).map(quote).join(' or ');
  const out = near === '' ? 'hnet --help shows the commands' : `did you mean ${near}?`;
  throw new UsageRefusal(`Cannot explain ${quote(word)}: there is no such command; ${out}`);
}
