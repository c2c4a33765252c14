import { history } from '../commands/history.ts';
import { info } from '../commands/info.ts';
import { ip } from '../commands/ip.ts';
import { whois } from '../commands/whois.ts';
import { DOMAIN, type Group, JSON_ANSWER } from './verb.ts';

/** One question, one answer. */
export const asking: Group = {
  title: 'Who has what, and had it when',
  verbs: [
    {
      name: 'ip',
      summary: "print a domain's addresses, one a line",
      description: ['Of a domain that runs those that it runs with. If it has none, the exit code is 1.'],
      examples: [
        ['hnet ip vm1', 'All addresses of vm1'],
        ['hnet ip vm1 -4', 'Those of IPv4 alone'],
      ],
      words: { domain: { ask: 'holders' } },
      define: (command, context) =>
        command
          .argument(...DOMAIN)
          .option('-4, --ipv4', 'those of IPv4 alone')
          .option('-6, --ipv6', 'those of IPv6 alone')
          .option(...JSON_ANSWER)
          .action((domain, options) => ip(domain, options, context())),
    },
    {
      name: 'whois',
      summary: 'say who has an address',
      description: [
        'A domain with its MAC address, the host itself, or nobody; whether it is reserved; and if nobody has it up now, who had it last.',
      ],
      examples: [
        ['hnet whois 123.45.90.116', 'Which VM is this?'],
        ['hnet whois 2001:db8:12:48::116 --json', 'The same for programs'],
      ],
      words: { address: { ask: 'assigned' } },
      define: (command, context) =>
        command
          .argument('<address>', 'a single address')
          .option(...JSON_ANSWER)
          .action(address => whois(address, context())),
    },
    {
      name: 'history',
      summary: 'show what happened to addresses; with --at, who had one at a moment',
      description: [
        'Assign, unassign, move, start and stop, and what the daemon has repaired. It goes back as far as [history] in hnet.toml says. A domain may be gone by now: then its name or UUID is still known here.',
        'A report of abuse names an address and a moment: --at takes the moment as it stands there, "2026-11-28 17:03:45" in UTC, with a zone such as +01:00, or as the date of a mail.',
      ],
      examples: [
        ['hnet history 123.45.90.116', 'All that happened to this address'],
        ['hnet history vm1', 'All that happened to the addresses of vm1'],
        ['hnet history 123.45.90.116 --at 2026-11-28T17:03:45Z', 'Who had it then'],
      ],
      words: { about: { ask: 'known' }, '--at': [] },
      define: (command, context) =>
        command
          .argument('[about]', 'an address, a subnet, or the name or UUID of a domain')
          .option('--at <time>', 'who had it at this moment')
          .option(...JSON_ANSWER)
          .action((about, options) => history(about, options, context())),
    },
    {
      name: 'info',
      summary: 'show versions, filter, uplinks, how much of each pool is free, and what doctor finds',
      description: ['What a report of a bug should have.'],
      examples: [
        ['hnet info', 'This host in short'],
        ['hnet info --json', 'The same for programs'],
      ],
      define: (command, context) => command.option(...JSON_ANSWER).action(() => info(context())),
    },
  ],
};
