import { plan } from '../commands/plan.ts';
import { pool } from '../commands/pool.ts';
import { status } from '../commands/status.ts';
import { ANY_DOMAIN, DOMAIN, type Group } from './verb.ts';

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
          .option('--json', 'for programs')
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
      define: (command, context) => command.argument(...DOMAIN).action(domain => plan(domain, context())),
    },
    {
      name: 'pool',
      summary: 'show every address: free, assigned to whom, up or not',
      description: [
        "An address is free, assigned, up (its route exists), or reserved (the host's own, with its interface, or the gateway's). Of a pool with more than 4,096 addresses only those are shown that are assigned or the host's.",
      ],
      examples: [
        ['hnet pool', 'Every address of the pools'],
        ['hnet pool --json', 'The same for programs'],
      ],
      define: (command, context) =>
        command.option('--json', 'for programs').action(options => pool(options, context())),
    },
  ],
};
