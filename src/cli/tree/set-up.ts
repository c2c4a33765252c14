import { HOST_FORMATS } from '../../guest/host-network.ts';
import { ROUTING_FORMATS } from '../../guest/routing/formats.ts';
import { completion } from '../commands/completion.ts';
import { help } from '../commands/help.ts';
import { hostConfig } from '../commands/host-config.ts';
import { hostDead } from '../commands/host-dead.ts';
import { init } from '../commands/init.ts';
import { SHELLS } from '../completion/scripts.ts';
import { DRY_RUN, type Group, JSON_ANSWER } from './verb.ts';

/** Setting up this host, and learning about hnet. */
const FORMATS = [...Object.keys(HOST_FORMATS), ...Object.keys(ROUTING_FORMATS)];

export const setUp: Group = {
  title: 'This host, and hnet itself',
  verbs: [
    {
      name: 'init',
      summary: "write this host's hnet.toml, bring up the filter, and say what is in the way",
      description: [
        "It finds out by which interfaces the pools come, and whether the provider routes them here or looks for them on the wire. On a terminal it asks what it can't find out.",
        'A configuration that is there stays. Run again it changes nothing.',
      ],
      examples: [
        ['hnet init --pool 123.45.90.112/29 --pool 123.45.53.11', 'Set up this host for these addresses'],
        ['hnet init --pool 123.45.90.112/29 --dry-run', 'Print the hnet.toml that it would write'],
        ['hnet init --yes', 'The same for scripts: ask nothing, and name the pools in hnet.toml later'],
      ],
      words: { '--pool': [] },
      define: (command, context) =>
        command
          .option(
            '--pool <cidr>',
            'an address or subnet that the provider gives to this host, once for each',
            (cidr: string, before: readonly string[] = []) => [...before, cidr],
          )
          .option('--yes', 'ask nothing')
          .option(...DRY_RUN)
          .option(...JSON_ANSWER)
          .action(options => init(options, context())),
    },
    {
      name: 'host',
      summary: "print this host's own uplink as pure routing wants it",
      examples: [
        ['hnet host --format netplan', "This host's uplink as netplan has it"],
        ['hnet host --check', 'Say where the running uplink differs'],
        ['hnet host --format bird', 'What carries routes to the other hosts of a cluster, for BIRD'],
      ],
      verbs: [
        {
          name: 'dead',
          summary: 'free what runs on a host of the cluster that is dead, so that others may start it',
          description: [
            'hnet turns no host off. If that one still runs, each of its domains may run twice, on the same disks: turn it off first. On a terminal it asks; elsewhere it needs --fenced.',
          ],
          examples: [
            ['hnet host dead h2', 'Free what ran on h2, after a question'],
            ['hnet host dead h2 --fenced', 'The same for a program that has turned it off'],
          ],
          words: { host: [] },
          define: (command, context) =>
            command
              .argument('<host>', 'its name in the cluster')
              .option('--fenced', 'it is off for certain: ask nothing')
              .option(...JSON_ANSWER)
              .action((host, options) => hostDead(host, options, context)),
        },
      ],
      words: { '--format': FORMATS },
      define: (command, context) =>
        command
          .option('--format <format>', FORMATS.join(', '))
          .option('--check', 'say where the running uplink differs (exit code 3)')
          .option(...JSON_ANSWER)
          .action(options => hostConfig(options, context())),
    },
    {
      name: 'completion',
      summary: 'print the script that completes hnet in a shell',
      description: [
        'An installation brings the scripts along: bash (with bash-completion), zsh and fish find them. This is for a shell that looks elsewhere.',
        'The scripts ask hnet for domains, addresses, MAC addresses and rules, which works without root too.',
      ],
      examples: [
        ['source <(hnet completion bash)', 'Complete in this bash'],
        ['hnet completion fish | source', 'Complete in this fish'],
      ],
      isForAll: true,
      words: { shell: Object.keys(SHELLS) },
      define: (command, context) =>
        command
          .argument('<shell>', Object.keys(SHELLS).join(', '))
          .action(shell => completion(command.parent ?? command, shell, context())),
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
