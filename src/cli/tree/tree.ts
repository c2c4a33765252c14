/** Makes commander's tree of the groups. */
import { Command, Option } from 'commander';
import type { Context } from '../../host/context.ts';
import { printable } from '../../model/refusal.ts';
import type { Manner } from '../commands/context.ts';
import { COLOUR_CHOICES } from '../terminal.ts';
import type { Example, Group, Verb } from './verb.ts';

const origins = new WeakMap<Command, { readonly verb: Verb; readonly group: Group }>();

/** What a command of the tree was made of; undefined for the program itself. */
export const verbOf = (command: Command): Verb | undefined => origins.get(command)?.verb;
export const groupOf = (command: Command): Group | undefined => origins.get(command)?.group;

/** The words by which a command is called, without the program's. */
export const pathOf = (command: Command): readonly string[] =>
  command.parent === null ? [] : [...pathOf(command.parent), command.name()];

/** The program with all its commands. It throws CommanderError in place of leaving the process. */
export function makeTree(
  groups: readonly Group[],
  version: string,
  makeContext: (options: Manner) => Context,
): Command {
  const hnet = new Command('hnet')
    .description("Gives libvirt's virtual machines their own public addresses, by pure routing")
    .version(version)
    .option('--trace', 'print every command as it runs')
    .option('-q, --quiet', 'do not say on the terminal what is being done')
    .addOption(
      new Option('--color <when>', 'whether output is coloured').choices(COLOUR_CHOICES).default('auto'),
    )
    .helpCommand(false)
    .showHelpAfterError('(hnet --help shows the commands)')
    .configureOutput({
      writeOut: text => void process.stdout.write(printable(text)),
      writeErr: text => void process.stderr.write(printable(text)),
    })
    .exitOverride();
  for (const group of groups) {
    hnet.commandsGroup(`${group.title}:`);
    for (const verb of group.verbs) add(hnet, verb, group, () => makeContext(hnet.opts()));
  }
  return hnet;
}

function add(parent: Command, verb: Verb, group: Group, context: () => Context): void {
  // Whoever asks for the help of a command that isn't shown asks for those below it.
  const hidden = group.isHidden === true && parent.parent === null;
  const command = parent
    .command(verb.name, { hidden })
    .summary(verb.summary)
    .helpCommand(false)
    .description([`${capital(verb.summary)}.`, ...(verb.description ?? [])].join('\n\n'))
    .addHelpText('after', examplesOf(verb.examples));
  origins.set(command, { verb, group });
  verb.define?.(command, context);
  for (const one of verb.verbs ?? []) add(command, one, group, context);
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const examplesOf = (examples: readonly Example[]): string =>
  ['\nExamples:', ...examples.map(([run, does]) => `  ${run}\n      ${does}`)].join('\n');
