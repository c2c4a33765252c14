import { plan } from '../commands/plan.ts';
import { pool } from '../commands/pool.ts';
import { status } from '../commands/status.ts';
import { ANY_DOMAIN, DOMAIN, type Group, JSON_ANSWER } from './verb.ts';

/** The present state, and what a start would do. */
export const seeing: Group = {
  title: 'What is',
  verbs: [
    {
      name: 'status',
      summary: 'show domains, addresses, bridges, leases and health',
      description: [
        'A line for each address. POLICY is "open", or what the rules of the domain close; HEALTH is "ok" while it runs and all is as it should be.',
      ],
      examples: [
        ['hnet status', 'Every domain that has an address'],
        ['hnet status vm1 --json', 'vm1 alone, for programs'],
      ],
      define: (command, context) =>
        command
          .argument(...ANY_DOMAIN)
          .option('--all', "those of the cluster's other hosts too, with the host of each")
          .option(...JSON_ANSWER)
          .action((domain, options) => status(domain, options, context())),
    },
    {
      name: 'plan',
      summary: 'print the commands that a start would run',
      description: ['They are printed as you would type them. It runs none of them.'],
      examples: [
        ['hnet plan vm1', 'What a start of vm1 would do on this host'],
        ['hnet plan vm1 | grep nft', 'Of it what concerns nftables'],
      ],
      define: (command, context) =>
        command
          .argument(...DOMAIN)
          .option(...JSON_ANSWER)
          .action(domain => plan(domain, context())),
    },
    {
      name: 'pool',
      summary: 'show how much of each pool is free, and who has its other addresses',
      description: [
        "An address is free, assigned, up (its route exists), or reserved (the host's own, with its interface, a gateway's, or every router's of an IPv6 subnet). Of one pool at most 4,096 free addresses are listed.",
      ],
      examples: [
        ['hnet pool', 'How much of each pool is free, and who has the rest'],
        ['hnet pool --free', 'The free addresses alone, one a line'],
      ],
      define: (command, context) =>
        command
          .option('--all', 'every address, the free ones too')
          .option('--free', 'the free addresses alone')
          .option(...JSON_ANSWER)
          .action(options => pool(options, context())),
    },
  ],
};
