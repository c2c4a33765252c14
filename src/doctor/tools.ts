import { chooseFirewall } from '../host/choose-backend.ts';
import { hasTool } from '../host/tools.ts';
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
    ...(backend === 'iptables' ? checkBudgets(facts) : []),
    ...(backend === 'iptables' && missing.length === 0 ? checkKinds(facts) : []),
    ...checkDnsmasq(facts),
  ];
}

/** With iptables nothing else needs nft, and nothing else can count what one bridge takes of some tables: see budgets.ts. */
function checkBudgets(facts: Facts): Diagnosis[] {
  if (hasTool('nft', path => facts.file(path) !== undefined)) return [];
  return diagnosis(
    'nft is missing, so nothing limits how much of its tables one VM takes',
    'a hostile VM can fill the tables of neighbours and of connections, and cut off the others',
    'apt-get install nftables',
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
