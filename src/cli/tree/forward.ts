import { addForward, deleteForward, listForwards } from '../commands/forward.ts';
import { ANY_DOMAIN, DOMAIN, DRY_RUN, type Group, JSON_ANSWER } from './verb.ts';

const ON = ['--on <address>', 'the address of the host that is called (any of its own by default)'] as const;

/** Ports of the host that lead to domains. */
export const forwards: Group = {
  title: 'Ports of the host',
  verbs: [
    {
      name: 'forward',
      summary: 'let ports of the host lead to a domain',
      description: [
        "A call to a port of the host goes to the domain: to its private address, or else to its first one of that family. It takes effect at once, for calls from the Internet, from other domains, from containers and from the host itself. The domain's rules apply.",
      ],
      examples: [
        ['hnet forward add vm2 tcp/2201:22', 'Port 2201 of the host leads to port 22 of vm2'],
        ['hnet forward list', 'Show all of them'],
      ],
      verbs: [
        {
          name: 'add',
          summary: 'let a port of the host, or a range of them, lead to a domain',
          description: [
            "A forward is PROTOCOL/PORTS[:PORT], with tcp or udp. Behind the colon is the domain's port where it is another; of a range, its first.",
          ],
          examples: [
            ['hnet forward add vm2 tcp/2201:22', 'Port 2201 of the host leads to port 22 of vm2'],
            [
              'hnet forward add vm2 udp/4000-4010 --on 198.51.100.9',
              'Only for calls to this address of the host',
            ],
          ],
          words: { forward: [], '--on': [] },
          define: (command, context) =>
            command
              .argument(...DOMAIN)
              .argument('<forward>', "the host's ports, and after a colon the domain's where they are others")
              .option(...ON)
              .option(...DRY_RUN)
              .option(...JSON_ANSWER)
              .action((domain, text, options) => addForward(domain, text, options, context())),
        },
        {
          name: 'delete',
          summary: 'take one away; open connections by it end',
          examples: [
            ['hnet forward delete vm2 tcp/2201:22', 'Port 2201 of the host no longer leads to vm2'],
            ['hnet forward delete vm2 udp/4000-4010 --on 198.51.100.9', 'The same of one with an address'],
          ],
          words: { forward: { ask: 'forwards' }, '--on': [] },
          define: (command, context) =>
            command
              .argument(...DOMAIN)
              .argument('<forward>', 'as it is listed')
              .option(...ON)
              .option(...DRY_RUN)
              .option(...JSON_ANSWER)
              .action((domain, text, options) => deleteForward(domain, text, options, context())),
        },
        {
          name: 'list',
          summary: 'show all forwards, or those of one domain',
          examples: [
            ['hnet forward list', 'Show all of them'],
            ['hnet forward list vm2 --json', 'Those of vm2, for programs'],
          ],
          define: (command, context) =>
            command
              .argument(...ANY_DOMAIN)
              .option(...JSON_ANSWER)
              .action(domain => listForwards(domain, context())),
        },
      ],
    },
  ],
};
