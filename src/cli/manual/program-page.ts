/** The page of hnet itself. */
import type { Command } from 'commander';
import { EXIT } from '../exit-codes.ts';
import { groupOf, pathOf } from '../tree/tree.ts';
import { bold, entry, italic, type Page, paragraphs, prose, proseOf, reference, sentence } from './roff.ts';
import { examplesOf, ofOption, pageName } from './terms.ts';

const DESCRIPTION = [
  'An address belongs to a domain because a route of the host points it at the bridge of that domain. hnet stores in the metadata of a domain which addresses it shall have. A hook of libvirt sets them up when the domain starts, and takes them down when it stops.',
  'A domain is named by its name or its UUID. Put a name that begins with - after --. All commands need root, except help, completion, --help and --version.',
];

const EXAMPLES = [
  ['hnet assign vm1', 'Give a domain the first free address of each family'],
  ['hnet status', 'See what every domain has, and whether all is well'],
  ['hnet doctor vm1', 'Ask why a domain is not reachable'],
] as const;

const CODES = [
  [EXIT.done, 'Done.'],
  [EXIT.failed, 'It could not be done. One line on standard error says why, and what to do.'],
  [EXIT.usage, 'The command line is wrong.'],
  [EXIT.found, 'check, doctor or host --check looked, and found something.'],
] as const;

const ENVIRONMENT = [
  ['NO_COLOR', 'If it is set and not empty, output has no colour. Without it there is colour on a terminal.'],
  [
    'CLICOLOR_FORCE',
    'If it is set and neither empty nor 0, output has colour everywhere. --color overrides both.',
  ],
] as const;

const FILES = [
  ['/etc/hnet/hnet.toml', 'The configuration, see hnet.toml(5).'],
  ['/run/hnet', 'What was set up for running domains, the locks and the DHCP servers.'],
  ['/var/lib/hnet', 'DHCP leases, and the totals of the traffic.'],
  ['/usr/share/doc/hnet/docs/reference.md', 'The whole reference; other documents lie beside it.'],
] as const;

export const programPage = (program: Command): Page => ({
  name: 'hnet',
  section: 8,
  summary: 'public addresses for virtual machines of libvirt, by pure routing',
  parts: [
    ['SYNOPSIS', [`${bold('hnet')} [${bold('--trace')}] ${italic('COMMAND')} [${italic('ARGUMENT')}...]`]],
    ['DESCRIPTION', paragraphs(proseOf([program.description().concat('.'), ...DESCRIPTION]))],
    [
      'COMMANDS',
      program.commands.flatMap((one, at, all) => [...headingOf(one, all[at - 1]), ...listed(one)]),
    ],
    ['OPTIONS', [...program.options.flatMap(ofOption), ...HELP]],
    ['EXIT STATUS', CODES.flatMap(([code, text]) => entry(bold(String(code)), prose(text)))],
    ['ENVIRONMENT', ENVIRONMENT.flatMap(([name, text]) => entry(bold(name), prose(text)))],
    ['FILES', FILES.flatMap(([path, text]) => entry(italic(path), prose(text)))],
    ['EXAMPLES', examplesOf(EXAMPLES)],
    ['SEE ALSO', [othersThan(program).join(',\n')]],
  ],
});

const HELP = entry(bold('--help'), 'Show the commands, or after a command what it takes.');

const othersThan = ({ commands }: Command): string[] => [
  ...commands.map(one => reference(pageName(one), 8)),
  reference('hnet.toml', 5),
  reference('virsh', 1),
];

/** The heading of a group, before its first command. */
const headingOf = (command: Command, before: Command | undefined): string[] => {
  const group = groupOf(command);
  return group === undefined || (before !== undefined && groupOf(before) === group)
    ? []
    : [`.SS ${group.title}`];
};

const listed = (command: Command): string[] =>
  entry(
    bold(pathOf(command).join(' ')),
    `${sentence(command.summary())} See ${reference(pageName(command), 8)}.`,
  );
