import { joinCluster, leaveCluster } from '../commands/cluster.ts';
import { freeClaims } from '../commands/cluster-free.ts';
import { clusterStatus } from '../commands/cluster-status.ts';
import { type Group, JSON_ANSWER } from './verb.ts';

/** Several hosts that share pools. */
export const cluster: Group = {
  title: 'Several hosts',
  verbs: [
    {
      name: 'cluster',
      summary: 'join the hosts that share its pools, leave them, show them',
      description: [
        'The table [cluster] of hnet.toml names the cluster and its etcd. docs/cluster.md says how several hosts are set up.',
      ],
      examples: [
        ['hnet cluster join', 'Take this host and its domains into the cluster of hnet.toml'],
        ['hnet cluster status', 'Which hosts are up, and what etcd holds'],
      ],
      verbs: [
        {
          name: 'join',
          summary: 'take this host and its domains into the cluster of hnet.toml',
          description: [
            "It claims in etcd what this host's domains have. If another host's domain has any of that, it is refused, names all of it, and changes nothing. Repeated, it claims what is missing and gives back what the domains have no more.",
          ],
          examples: [
            ['hnet cluster join', 'Join, or put right what has changed since'],
            ['hnet cluster join --json', 'The same for programs'],
          ],
          define: (command, context) => command.option(...JSON_ANSWER).action(() => joinCluster(context())),
        },
        {
          name: 'leave',
          summary: 'take this host out of the cluster',
          description: [
            'What its domains have stays claimed, so that no other host gives it away. hnet cluster free on another host frees it.',
          ],
          examples: [
            ['hnet cluster leave', 'Leave, before [cluster] goes from hnet.toml'],
            ['hnet cluster leave --json', 'The same for programs'],
          ],
          define: (command, context) => command.option(...JSON_ANSWER).action(() => leaveCluster(context())),
        },
        {
          name: 'status',
          summary: 'show its hosts, what etcd holds, and claims of domains that no host has',
          examples: [
            ['hnet cluster status', 'Which hosts are up, and what etcd holds'],
            ['hnet cluster status --json', 'The same for programs'],
          ],
          define: (command, context) => command.option(...JSON_ANSWER).action(() => clusterStatus(context())),
        },
        {
          name: 'free',
          summary: 'give back what is claimed for a domain that no host has',
          description: [
            'hnet cluster status names such domains. On a terminal it asks; elsewhere it needs --yes.',
          ],
          examples: [
            ['hnet cluster free vm9', 'Free what vm9 had, which was undefined without hnet unassign'],
            ['hnet cluster free 123.45.90.116 --yes', 'Free what the domain with this address had'],
          ],
          words: { domain: [] },
          define: (command, context) =>
            command
              .argument('<domain>', 'its UUID or name, or one of its addresses')
              .option('--yes', 'do not ask')
              .option(...JSON_ANSWER)
              .action((domain, options) => freeClaims(domain, options, context)),
        },
      ],
    },
  ],
};
