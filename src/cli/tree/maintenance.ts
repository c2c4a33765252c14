import { announce } from '../commands/announce.ts';
import { attend } from '../commands/attend.ts';
import { baseDown, baseUp } from '../commands/base.ts';
import { complete } from '../commands/complete.ts';
import { daemon } from '../commands/daemon.ts';
import { flows, follow } from '../commands/follow.ts';
import { generate } from '../commands/generate.ts';
import { scopes } from '../commands/scopes.ts';
import type { Group } from './verb.ts';
import { KINDS } from './words.ts';

/** Commands for install.sh, the units and hnet itself. */
export const maintenance: Group = {
  title: 'Maintenance',
  isHidden: true,
  verbs: [
    {
      name: 'daemon',
      summary: 'repair as soon as something happens; the service hnet-watch runs it',
      description: [
        'It also adds up the traffic, and runs the programs in /etc/hnet/events.d when something happens to an address. The command was called watch, and still is.',
      ],
      examples: [
        ['hnet daemon', 'Repair for as long as it runs'],
        ['systemctl status hnet-watch', 'See whether the service runs, and what it repaired'],
      ],
      define: (command, context) => command.alias('watch').action(() => daemon(context)),
    },
    {
      name: 'follow',
      summary: 'turn the routes of domains that move between hosts; hnet daemon runs it',
      description: [
        'libvirt calls no hook at the moment when a domain stops at one host and goes on at another; it tells by its events. Each millisecond until the routes follow is one of the silence of the domain, so this is a process of its own.',
      ],
      examples: [
        ['hnet follow', 'Print a line for each domain that leaves or arrives'],
        ['journalctl -u hnet-watch', 'See these lines where the daemon runs it'],
      ],
      define: (command, context) => command.action(() => follow(context)),
    },
    {
      name: 'flows',
      summary: 'hand the tracked flows of a domain to the host that it moves to; hnet follow runs it',
      examples: [
        ['hnet flows send 5f0c2d0e-6a5e-4c55-9d3c-1f2a3b4c5d6e', 'Put them into etcd for a minute'],
        [
          'hnet flows take 5f0c2d0e-6a5e-4c55-9d3c-1f2a3b4c5d6e',
          'Take them from there until the domain has come',
        ],
      ],
      define: (command, context) =>
        command
          .addArgument(command.createArgument('<way>', 'send or take').choices(['send', 'take']))
          .argument('<uuid>', 'of the domain')
          .action((way, uuid) => flows(way, uuid, context())),
    },
    {
      name: 'attend',
      summary: "keep this host in the cluster's books; hnet daemon runs it",
      description: [
        'It says in etcd that this host is up, notes what runs here, and forgets what has ended. It prints a line when a host of the cluster comes or goes.',
      ],
      examples: [
        ['hnet attend', 'Be known as up for as long as it runs'],
        ['journalctl -u hnet-watch', 'See what it tells where the daemon runs it'],
      ],
      define: (command, context) => command.action(() => attend(context)),
    },
    {
      name: 'announce',
      summary: 'tell the wire of an uplink that this host answers for addresses (a start does it)',
      examples: [
        [
          'hnet announce eth0 123.45.90.116',
          'A gateway that knows the address from another host learns it at once',
        ],
        ['hnet announce eth0 123.45.90.116 2001:db8:12:48::1', 'The same for an address of each family'],
      ],
      define: (command, context) =>
        command
          .argument('<device>', 'the uplink')
          .argument('<addresses...>', 'single addresses')
          .action((device, addresses) => announce(device, addresses, context())),
    },
    {
      name: 'base',
      summary: 'what stands whether a domain runs or not (install.sh and the boot unit call it)',
      examples: [
        ['hnet base up', 'Set up forwarding, the filter and the blackhole routes'],
        ['hnet base down', 'Remove them'],
      ],
      verbs: [
        {
          name: 'up',
          summary: 'bring it up',
          examples: [
            ['hnet base up', 'What the boot unit does'],
            ['hnet --trace base up', 'The same, and print every command'],
          ],
          define: (command, context) => command.action(() => baseUp(context())),
        },
        {
          name: 'scopes',
          summary: 'print a private range that nothing on this host uses',
          examples: [
            ['hnet base scopes', '172.30.0.0/16 if that is free'],
            ['hnet base scopes 172.16.0.0/12', 'One outside of this range too'],
          ],
          define: (command, context) =>
            command
              .argument('[pool...]', 'ranges that it may not meet either')
              .action(pools => scopes(pools, context())),
        },
        {
          name: 'down',
          summary: 'remove it',
          examples: [
            ['hnet base down', 'What install.sh --uninstall does'],
            ['hnet --trace base down', 'The same, and print every command'],
          ],
          define: (command, context) => command.action(() => baseDown(context())),
        },
      ],
    },
    {
      name: 'complete',
      summary: 'print the words that may come next, as the completions of the shells ask',
      description: [
        `KIND is ${KINDS.join(', ')}. It prints a word on each line that begins with CURRENT, and after a tab what it means. It asks libvirt over a connection that every user may open, and prints nothing where it can't look.`,
      ],
      examples: [
        ["hnet complete domains ''", 'Every domain, with its addresses'],
        ['hnet complete held 123. vm1', 'The addresses of vm1 that begin so'],
      ],
      isForAll: true,
      define: (command, context) =>
        command
          .argument('<kind>', 'which words')
          .argument('<current>', 'the word that is being typed; it may be empty')
          .argument('[words...]', 'the arguments before it')
          .action((kind, current, words) => complete(kind, current, words, context())),
    },
    {
      name: 'generate',
      summary: 'write the manual pages and the completions of the shells; the build runs it',
      examples: [
        ['hnet generate dist', 'Write dist/man and dist/completions'],
        ['hnet generate dist --date 2026-11-28', 'The same, with this date in the pages'],
      ],
      isForAll: true,
      define: command =>
        command
          .argument('<directory>', 'where to')
          .option('--date <date>', 'of the pages', new Date().toISOString().slice(0, 10))
          .action((directory, { date }) => generate(command.parent ?? command, directory, date)),
    },
  ],
};
