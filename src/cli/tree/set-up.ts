import { HOST_FORMATS } from '../../guest/host-network.ts';
import { help } from '../commands/help.ts';
import { hostConfig } from '../commands/host-config.ts';
import type { Group } from './verb.ts';

/** Setting up this host, and learning about hnet. */
export const setUp: Group = {
  title: 'This host, and hnet itself',
  verbs: [
    {
      name: 'host',
      summary: "print this host's own uplink as pure routing wants it",
      examples: [
        ['hnet host --format netplan', "This host's uplink as netplan has it"],
        ['hnet host --check', 'Say where the running uplink differs'],
      ],
      define: (command, context) =>
        command
          .option('--format <format>', Object.keys(HOST_FORMATS).join(', '))
          .option('--check', 'say where the running uplink differs (exit code 3)')
          .action(options => hostConfig(options, context())),
    },
    {
      name: 'help',
      summary: 'open the manual of hnet or of a command',
      description: ['Where there is no manual page or no man, it prints what --help prints.'],
      examples: [
        ['hnet help', 'The manual of hnet'],
        ['hnet help assign', 'The manual of one command'],
      ],
      isForAll: true,
      define: command =>
        command
          .argument('[command...]', 'the command')
          .action((words: readonly string[]) => help(command.parent ?? command, words)),
    },
  ],
};
