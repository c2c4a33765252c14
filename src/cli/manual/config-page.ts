/** The page of hnet.toml. */
import { CONFIG_KEYS, type Key } from '../../model/config-keys.ts';
import { bold, entry, example, type Page, paragraphs, prose, proseOf, reference, sentence } from './roff.ts';

const DESCRIPTION = [
  'The hook reads the configuration at every start of a domain. `hnet sync` applies a change to what already runs; nothing has to be restarted. A mistake is refused with file, line and key.',
  'A changed configuration is tried out. If the gateway does not answer any more after it was applied, the one before it is put back within a few seconds, and counts until the file is changed.',
  'Names in italics are sections of /usr/share/doc/hnet/docs/reference.md.',
];

const EXAMPLE = [
  'pools = ["123.45.90.112/29", "2001:db8:12:48::/64"]',
  'uplink = "eth0"',
  '',
  '[dhcp]',
  'dns = ["9.9.9.9", "2620:fe::fe"]',
  '',
  '[firewall]',
  'outbound_deny = ["tcp/25"]',
];

export const configPage = (): Page => ({
  name: 'hnet.toml',
  section: 5,
  summary: 'configuration of hnet',
  parts: [
    ['SYNOPSIS', ['/etc/hnet/hnet.toml']],
    ['DESCRIPTION', paragraphs(proseOf(DESCRIPTION))],
    [
      'KEYS',
      Object.entries(CONFIG_KEYS).flatMap(([header, keys]) => [
        ...headingOf(header),
        ...Object.entries(keys).flatMap(describe),
      ]),
    ],
    ['EXAMPLE', example(EXAMPLE)],
    ['SEE ALSO', [[reference('hnet', 8), reference('hnet-sync', 8), reference('hnet-doctor', 8)].join(', ')]],
  ],
});

const headingOf = (header: string): string[] => (header === '' ? [] : [`.SS ${header}`]);

const describe = ([name, { missing, text }]: readonly [string, Key]): string[] =>
  entry(bold(name), sentence(text), '.br', prose(`Default: ${missing}.`));
