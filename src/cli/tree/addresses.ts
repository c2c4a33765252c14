import { DHCP_MODES } from '../../model/dhcp-mode.ts';
import { assign } from '../commands/assign.ts';
import { move } from '../commands/move.ts';
import { reserve } from '../commands/reserve.ts';
import { unassign } from '../commands/unassign.ts';
import { xml } from '../commands/xml.ts';
import { DOMAIN, DRY_RUN, type Group, JSON_ANSWER } from './verb.ts';

/** Which addresses a domain has. */
export const addresses: Group = {
  title: 'Addresses of domains',
  verbs: [
    {
      name: 'assign',
      summary:
        'give a domain addresses (the first free one by default) and put its interface on their bridge',
      description: [
        'Without an address a domain that has none yet gets the first free one of each family. An address that it already has is success. On a running domain it takes effect at once, and the other addresses of the domain lose no packet.',
        "An interface that isn't on one of hnet's bridges yet gets a bridge of its own. Its MAC address, model, driver and place stay. If the interface or the assignment of a running domain was lost, hnet puts them back.",
      ],
      examples: [
        ['hnet assign vm1', 'Give vm1 the first free address of each family of the pools'],
        ['hnet assign vm2 --private', 'Give vm2 no public address: it reaches out by that of the host'],
        ['hnet assign vm1 123.45.90.116 2001:db8:12:48::/64', 'Give vm1 this address and this subnet'],
        [
          'hnet assign vm1 123.45.90.117 --nic 52:54:00:12:34:56',
          'Give it to the interface with this MAC address',
        ],
      ],
      words: {
        address: { ask: 'free' },
        '--nic': { ask: 'macs' },
        '--via': { ask: 'held' },
        '--dhcp': [...DHCP_MODES, 'default'],
        '--boot': ['default'],
        '--scope': [],
      },
      define: (command, context) =>
        command
          .argument(...DOMAIN)
          .argument('[address...]', 'addresses or subnets of the pools')
          .option('--nic <mac>', 'the interface to use, where the domain has several')
          .option('--no-nic', 'leave its interfaces alone')
          .option('--via <address>', 'its own address, by which it routes them on: it is a router for them')
          .option('--scope <cidr>', "the private subnet of its bridge, in place of one of hnet's choice")
          .option('--private', 'an address of a private subnet: it reaches out, and hnet forward leads in')
          .option('--dhcp <mode>', 'what its DHCP server hands out: bootstrap, public, off, or default')
          .option('--boot <file>', "what its boot ROMs load: a file's name, a URL, or default")
          .option(...DRY_RUN)
          .option(...JSON_ANSWER)
          .action((domain, addresses, options) => assign(domain, addresses, options, context())),
    },
    {
      name: 'unassign',
      summary: 'take addresses from a domain (all by default)',
      description: [
        'On a running domain it takes effect at once. Its interface stays on its bridge. Before it takes everything from a running domain it asks, on a terminal; elsewhere it needs --all.',
      ],
      examples: [
        ['hnet unassign vm1 123.45.90.116', 'Take this address from vm1'],
        ['hnet unassign vm1 --all', 'Take all of its addresses, without a question'],
        ['hnet unassign vm1 --dry-run', 'Say what it would lose'],
      ],
      words: { domain: { ask: 'holders' }, address: { ask: 'held' } },
      define: (command, context) =>
        command
          .argument(...DOMAIN)
          .argument('[address...]', 'the addresses to take')
          .option('--all', 'all that it has, without a question')
          .option(...DRY_RUN)
          .option(...JSON_ANSWER)
          .action((domain, addresses, options) => unassign(domain, addresses, options, context)),
    },
    {
      name: 'move',
      summary: 'hand an address from one domain to another, at once where they run',
      description: [
        'If both run, one route is replaced, and that is the only gap. If the old domain has rules, the address is unreachable for a short time, rather than reachable past them.',
      ],
      examples: [
        ['hnet move 123.45.90.116 vm1 vm2', 'vm2 has the address from now on, and vm1 no longer'],
        ['hnet move 2001:db8:12:48::/64 vm1 vm2', 'The same with a whole subnet'],
      ],
      words: { address: { ask: 'assigned' }, from: { ask: 'holders' }, to: { ask: 'domains' } },
      define: (command, context) =>
        command
          .argument('<address>', 'the address or subnet')
          .argument('<from>', 'name or UUID of the domain that has it')
          .argument('<to>', 'name or UUID of the domain that shall have it')
          .option(...DRY_RUN)
          .option(...JSON_ANSWER)
          .action((address, from, to, options) => move(address, from, to, options, context())),
    },
    {
      name: 'reserve',
      summary:
        'keep an address for the domain of a name, or from every domain; without an address, list them',
      description: [
        'assign gives an address that is reserved for a name to the domain of that name, as soon as there is one, and to no other. Without a name no domain gets it. A domain of another name that has it in its metadata is refused at its start.',
        'A reservation outlives the domain: a VM that is made anew, with a new UUID, gets its address again.',
      ],
      examples: [
        ['hnet reserve 123.45.90.116 web', 'Only a domain called web gets it'],
        ['hnet reserve 123.45.90.117', 'No domain gets it'],
        ['hnet reserve --delete 123.45.90.116', 'Any domain may get it again'],
        ['hnet reserve', 'List what is reserved'],
      ],
      words: { address: { ask: 'free' }, name: { ask: 'domains' } },
      define: (command, context) =>
        command
          .argument('[address]', 'an address or subnet of the pools')
          .argument('[name]', "the domain's name; it needn't exist yet")
          .option('--delete', 'give the reservation up')
          .option(...JSON_ANSWER)
          .action((address, name, options) => reserve(address, name, options, context())),
    },
    {
      name: 'xml',
      summary: "print a domain's <metadata> and <interface> for an address, to paste into a template",
      description: [
        'For virt-install, Terraform and other tools that define a domain from XML: it has the address from its first start on, and needs no assign. Several addresses share one interface.',
        'It takes nothing. Until the domain exists only a reservation keeps the address: hnet reserve ADDRESS NAME.',
      ],
      examples: [
        ['hnet xml 123.45.90.116', 'What the XML of a domain with this address has'],
        ['hnet xml 123.45.90.116 2001:db8:12:48::116', 'The same with an address of each family'],
      ],
      words: { addresses: { ask: 'free' } },
      define: (command, context) =>
        command
          .argument('<addresses...>', 'addresses or subnets of the pools')
          .option(...JSON_ANSWER)
          .action(addresses => xml(addresses, context())),
    },
  ],
};
