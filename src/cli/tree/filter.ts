import { Option } from 'commander';
import { firewall } from '../commands/firewall.ts';
import { metrics } from '../commands/metrics.ts';
import { traffic } from '../commands/traffic.ts';
import { ANY_DOMAIN, DOMAIN, DRY_RUN, type Group, JSON_ANSWER } from './verb.ts';

/** Rules, and the traffic that they counted. */
export const filter: Group = {
  title: 'Filter and traffic',
  verbs: [
    {
      name: 'firewall',
      summary:
        "show or change a domain's rules: default allow|deny, isolate on|off, delete N, insert N, move N, or a rule",
      description: [
        'Without words it shows the rules and what each has matched. They have an order, and the first that matches decides. The default is for new inbound connections that no rule matches. A change takes effect at once, and at every start.',
        'A rule is [outbound] allow|deny [WHAT] [from|to PREFIX]. WHAT is any; a protocol: tcp, udp, icmp, sctp, esp, ah, gre, ipip, or a number from 0 to 255; or ports such as tcp/80,443 and udp/1024-2047. Inbound rules take from, outbound ones to.',
        'With isolate on the domain has no traffic with the other domains of this host.',
      ],
      examples: [
        ['hnet firewall vm1 default deny', 'Let in only what a rule allows'],
        ['hnet firewall vm1 allow tcp/22 from 203.0.113.0/24', 'Add a rule for SSH from one subnet'],
        ['hnet firewall vm1 delete 2', 'Take the second rule away'],
        ['hnet firewall vm1 insert 1 deny any from 203.0.113.66', 'Add a rule before all others'],
        ['hnet firewall vm1 move 3 1', 'Let the third rule come first'],
      ],
      words: { domain: { ask: 'holders' }, words: { ask: 'rule' } },
      define: (command, context) =>
        command
          .argument(...DOMAIN)
          .argument(
            '[words...]',
            'such as: allow tcp/22 from 203.0.113.0/24; deny udp/1024-2047; outbound deny tcp/25',
          )
          .option(...DRY_RUN)
          .option(...JSON_ANSWER)
          .action((domain, words, options) => firewall(domain, words, options, context())),
    },
    {
      name: 'traffic',
      summary: 'show bytes and packets of every address, and what was dropped',
      description: [
        'Since the start of each domain and in total. What was dropped is shown by its cause.',
        'By month it shows what each domain had with each address, also of domains that are gone. Months are those of UTC. What is counted between two additions, which the daemon makes every five minutes, belongs to the month of the later one.',
      ],
      examples: [
        ['hnet traffic vm1', 'What the addresses of vm1 sent and received'],
        ['hnet traffic --prometheus', 'Every address, as Prometheus reads it'],
        ['hnet traffic --by month --json', 'What to bill, for programs'],
      ],
      define: (command, context) =>
        command
          .argument(...ANY_DOMAIN)
          .option(...JSON_ANSWER)
          .option('--prometheus', 'in the text exposition format')
          .addOption(new Option('--by <period>', 'in each month').choices(['month']).conflicts('prometheus'))
          .action((domain, options) => traffic(domain, options, context())),
    },
    {
      name: 'metrics',
      summary: 'print everything that Prometheus may watch, or write it to a file for node_exporter',
      description: [
        'Traffic, drops, pools, faults, repairs, rules, and how full tables of the kernel are. What cannot be read is missing; then hnet_collector_success is 0, and the exit code is 1.',
        'The timer hnet-metrics.timer, which is off by default, writes the file every minute: systemctl enable --now hnet-metrics.timer.',
      ],
      examples: [
        ['hnet metrics', 'In the text exposition format'],
        [
          'hnet metrics --textfile /var/lib/prometheus/node-exporter/hnet.prom',
          "Where Debian's node_exporter reads it; a reader never sees half of it",
        ],
      ],
      words: { '--textfile': 'files' },
      define: (command, context) =>
        command
          .option('--textfile <file>', 'write it there, as a whole; the name ends in .prom')
          .action(options => metrics(options, context())),
    },
  ],
};
