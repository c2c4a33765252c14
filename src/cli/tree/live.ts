import { monitor, top } from '../commands/monitor.ts';
import { type Group, JSON_ANSWER } from './verb.ts';

const EVERY = ['--every <seconds>', 'between two looks at the counters, 1 to 3600', '5'] as const;

/** What goes on until it is ended. */
export const live: Group = {
  title: 'As it happens',
  verbs: [
    {
      name: 'monitor',
      summary: 'print the state of this host, and then each change as it happens',
      description: [
        'First one line with everything: domains, addresses, health, pools and faults. What doctor finds follows some seconds later. Then a line for each part of it that has changed, within two seconds, one for whatever is noted in the journal, and the counters every few seconds.',
        'It is one process for a page or a panel that shows the host: docs/json.md has the lines.',
      ],
      examples: [
        ['hnet monitor --json', 'For a program: a line of JSON for each change'],
        ['hnet monitor --every 60', 'With counters once a minute'],
      ],
      words: { '--every': [] },
      define: (command, context) =>
        command
          .option(...EVERY)
          .option(...JSON_ANSWER)
          .action(options => monitor(options, context)),
    },
    {
      name: 'top',
      summary: 'show all addresses with their traffic on the whole terminal, the busiest first',
      description: ['It shows what hnet monitor tells, as it happens. q ends it.'],
      examples: [
        ['hnet top', 'Which VM uses the line?'],
        ['hnet top --every 1', 'With rates of the last second'],
      ],
      words: { '--every': [] },
      define: (command, context) => command.option(...EVERY).action(options => top(options, context)),
    },
  ],
};
