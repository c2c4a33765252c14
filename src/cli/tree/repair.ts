import { Option } from 'commander';
import { check } from '../commands/check.ts';
import { doctor } from '../commands/doctor.ts';
import { reach } from '../commands/reach.ts';
import { sync } from '../commands/sync.ts';
import { ANY_DOMAIN, DRY_RUN, type Group, JSON_ANSWER } from './verb.ts';

/** Finding drift and repairing it. */
export const repair: Group = {
  title: 'Check and repair',
  verbs: [
    {
      name: 'doctor',
      summary:
        'examine whether this host is fit, or why a domain is not reachable; exit code 3 if something is found',
      description: [
        'It says what is wrong, why it matters, and the command that fixes it. It changes nothing, and no command that it prints cuts off the host.',
      ],
      examples: [
        ['hnet doctor', 'Is this host ready for hnet?'],
        ['hnet doctor vm1', 'Why is vm1 not reachable?'],
      ],
      define: (command, context) =>
        command
          .argument(...ANY_DOMAIN)
          .option(...JSON_ANSWER)
          .action(domain => (domain === undefined ? doctor(context()) : reach(domain, context()))),
    },
    {
      name: 'check',
      summary: 'compare what should be with what is; exit code 3 if they differ',
      description: [
        'It also asks the kernel whether it would serve each address of a running domain. It changes nothing.',
      ],
      examples: [
        ['hnet check', 'Everything of this host'],
        ['hnet check vm1 --json', 'vm1 alone, for programs'],
      ],
      define: (command, context) =>
        command
          .argument(...ANY_DOMAIN)
          .option(...JSON_ANSWER)
          .action(domain => check(domain, context())),
    },
    {
      name: 'sync',
      summary: 'repair what is missing or changed, remove what belongs to nobody, and add up the traffic',
      description: [
        "It names each repair. Run it after you change hnet.toml: a configuration that cuts off the host is taken back. The exit code is 1 if something is left that it can't repair.",
      ],
      examples: [
        ['hnet sync --dry-run', 'Say what would be repaired'],
        ['hnet sync', 'Repair it, and put a changed hnet.toml in force'],
      ],
      define: (command, context) =>
        command
          .option(...DRY_RUN)
          .option(...JSON_ANSWER)
          // What a sync starts that may cut off whoever called it.
          .addOption(new Option('--end-trial').hideHelp())
          .action(options => sync(options, context())),
    },
  ],
};
