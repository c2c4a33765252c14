import { GUEST_FORMATS } from '../../guest/formats.ts';
import { guest } from '../commands/guest.ts';
import { hosts } from '../commands/hosts.ts';
import { DOMAIN, type Group, JSON_ANSWER } from './verb.ts';

/** What systems inside a domain, and name servers, must be told. */
export const guests: Group = {
  title: 'For guests and name servers',
  verbs: [
    {
      name: 'guest',
      summary:
        "print the configuration of the domain's own system, or write it as a seed image for cloud-init",
      examples: [
        ['hnet guest vm1 --format netplan', 'The static configuration for a guest with netplan'],
        [
          'hnet guest vm1 --seed vm1.iso --ssh-key ~/.ssh/id_ed25519.pub',
          'Write a NoCloud seed image with an SSH key',
        ],
      ],
      words: {
        domain: { ask: 'holders' },
        '--format': [...Object.keys(GUEST_FORMATS), 'all'],
        '--interface': [],
        '--seed': 'files',
        '--ssh-key': 'files',
        '--user-data': 'files',
      },
      define: (command, context) =>
        command
          .argument(...DOMAIN)
          .option('--format <format>', `${Object.keys(GUEST_FORMATS).join(', ')}, or all`)
          .option(
            '--interface <name>',
            "an interface's name inside, once for each in order (default: eth0, vtnet0, vio0)",
            (name: string, before: readonly string[] = []) => [...before, name],
          )
          .option('--seed <file>', 'write a NoCloud seed image there')
          .option('--ssh-key <file>', 'public keys for the seed')
          .option('--user-data <file>', 'user-data for the seed, as it is')
          .option(...JSON_ANSWER)
          .action((domain, options) => guest(domain, options, context())),
    },
    {
      name: 'hosts',
      summary: 'print the names of all assignments as /etc/hosts has them',
      examples: [
        ['hnet hosts --domain example.org', 'Lines for /etc/hosts, with full names'],
        ['hnet hosts --ptr', 'PTR records for a reverse zone'],
      ],
      words: { '--domain': [] },
      define: (command, context) =>
        command
          .option('--ptr', 'as PTR records for a reverse zone')
          .option('--domain <name>', "what follows a name without dots (default: hnet.toml's dhcp.domain)")
          .option(...JSON_ANSWER)
          .action(options => hosts(options, context())),
    },
  ],
};
