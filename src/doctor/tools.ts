import { chooseFirewall } from '../host/choose-backend.ts';
import { hasTool } from '../host/tools.ts';
import type { Backend } from '../model/config.ts';
import { CONFIG_FILE } from '../model/names.ts';
import { type Diagnosis, diagnosis } from './diagnosis.ts';
import { type Facts, knownValue } from './facts.ts';

/** Programs that every start needs, and their packages. */
const NEEDED: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  ss: 'iproute2',
  dnsmasq: 'dnsmasq-base',
  conntrack: 'conntrack',
  flock: 'util-linux',
};
const BY_BACKEND: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  iptables: { 'iptables-restore': 'iptables', 'iptables-save': 'iptables', ipset: 'ipset' },
  nftables: { nft: 'nftables' },
};

/** What doctor couldn't look at, so that it would say too little. Of a tool that is missing it is told below. */
export const checkUnseen = ({ unseen }: Facts): Diagnosis[] =>
  unseen.flatMap(({ what, why }) =>
    diagnosis(
      `${what} could not be asked: ${why}`,
      'doctor says nothing of it, and something may be wrong',
      'hnet doctor  # again, once that is mended',
    ),
  );

export function checkTools(facts: Facts): Diagnosis[] {
  const config = knownValue(facts.config);
  const backend = config === undefined ? 'iptables' : chooseFirewall(config).name;
  const missing = Object.entries({ ...NEEDED, ...BY_BACKEND[backend] }).filter(
    ([tool]) => !hasTool(tool, path => facts.file(path) !== undefined),
  );
  return [
    ...missing.flatMap(([tool, name]) =>
      diagnosis(`${tool} is missing`, 'a start needs it', `apt-get install ${name}`),
    ),
    ...(missing.length === 0 ? checkKernel(backend, facts) : []),
    ...(backend === 'iptables' ? checkBudgets(facts) : []),
    ...(backend === 'iptables' && missing.length === 0 ? checkKinds(facts) : []),
    ...checkDnsmasq(facts),
  ];
}

/** What each tool prints first once the kernel has answered it, and the module that it needs for that. */
const TALKS = {
  ipset: { argv: ['ipset', 'list', '-t', '-o', 'xml'], begins: '<ipsets>', module: 'ip_set' },
  nft: { argv: ['nft', '-j', 'list', 'tables'], begins: '{"nftables"', module: 'nf_tables' },
} as const;

/** A tool may be there, and the kernel not know what it talks of: of a provider's own, or in a container. */
const works = (tool: keyof typeof TALKS, { output }: Facts): boolean =>
  output(...TALKS[tool].argv).startsWith(TALKS[tool].begins);

function checkKernel(backend: Backend, facts: Facts): Diagnosis[] {
  const [tool, other] =
    backend === 'iptables' ? (['ipset', 'nftables'] as const) : (['nft', 'iptables'] as const);
  if (works(tool, facts)) return [];
  return diagnosis(
    `${tool} doesn't work in this kernel`,
    'the filter can not be made, and no VM of ours starts',
    `modprobe ${TALKS[tool].module} && hnet base up  # or set backend = "${other}" in ${CONFIG_FILE}`,
  );
}

/** With iptables nothing else needs nft, and nothing else can count what one bridge takes of some tables: see budgets.ts. */
function checkBudgets(facts: Facts): Diagnosis[] {
  const isThere = hasTool('nft', path => facts.file(path) !== undefined);
  if (isThere && works('nft', facts)) return [];
  return diagnosis(
    `nft ${isThere ? "doesn't work in this kernel" : 'is missing'}, so nothing limits how much of its tables one VM takes`,
    'a hostile VM can fill the tables of neighbours and of connections, and cut off the others',
    isThere ? `modprobe ${TALKS.nft.module}` : 'apt-get install nftables',
  );
}

/** iptables comes in two kinds that don't see each other's rules. */
function checkKinds(facts: Facts): Diagnosis[] {
  const tools = ['iptables', 'iptables-save', 'iptables-restore'];
  const kinds = tools.map(tool => /\((\w+)\)/.exec(facts.output(tool, '--version'))?.[1] ?? 'unknown');
  if (new Set(kinds).size > 1)
    return diagnosis(
      tools.map((tool, index) => `${tool} is ${kinds[index]}`).join(', '),
      "one doesn't see the rules that another made",
      'update-alternatives --config iptables',
    );
  const other = kinds[0] === 'nf_tables' ? 'iptables-legacy-save' : 'iptables-nft-save';
  if (!/^-A /m.test(facts.output(other))) return [];
  return diagnosis(
    `there are rules in both kinds of iptables (${other} shows those in the other)`,
    'packets meet both, and a drop in one can not be seen in the other',
    'update-alternatives --config iptables',
  );
}

/** The oldest release of dnsmasq that hnet was tested with. */
const OLDEST = [2, 80] as const;

function checkDnsmasq(facts: Facts): Diagnosis[] {
  const [, major, minor] = /version (\d+)\.(\d+)/.exec(facts.output('dnsmasq', '--version')) ?? [];
  if (major === undefined || Number(major) > OLDEST[0] || Number(minor) >= OLDEST[1]) return [];
  return diagnosis(
    `dnsmasq is ${major}.${minor}, older than ${OLDEST.join('.')}`,
    'the DHCP scopes were never tried with it',
    'apt-get install dnsmasq-base',
  );
}
