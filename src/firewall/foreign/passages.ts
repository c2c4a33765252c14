/**
 * The accepts of ours that stand in other people's filters, and only where they are needed: see strangers.ts.
 *
 * They accept all that enters or leaves by our bridges, which opens nothing: every such packet meets our own
 * filter too, on the same hook, and what that drops stays dropped whoever accepts it. So they come up after it,
 * and go before it.
 */

import { parsePrefix } from '../../model/address.ts';
import type { Config } from '../../model/config.ts';
import { DEVICE_GROUP } from '../../model/names.ts';
import type { Family, Prefix } from '../../model/prefix.ts';
import type { Uplink } from '../../model/uplink.ts';
import type { ForeignTable, Point, Tool, View } from '../../model/view.ts';
import { type Action, run } from '../../resources/action.ts';
import { ABSENT, changed, type Finding, PRESENT, type Resource } from '../../resources/resource.ts';
import { firewalldPolicies, governsItself, hasPolicies } from './firewalld.ts';
import { obstacle, type Traffic } from './obstacles.ts';
import { MARK } from './parse-nft.ts';

/** What must be accepted, in the words of nft and of iptables. */
interface Accept {
  readonly nft: string;
  readonly iptables: string;
}

const GROUP = `0x${DEVICE_GROUP.toString(16)}`;

const FORWARDED: readonly Accept[] = [
  { nft: `iifgroup ${DEVICE_GROUP}`, iptables: `-m devgroup --src-group ${GROUP}` },
  { nft: `oifgroup ${DEVICE_GROUP}`, iptables: `-m devgroup --dst-group ${GROUP}` },
];

/** DHCP at the host (RFC 2131, 4.1; RFC 8415, 7.2), and for IPv6 the discovery of neighbours and routers. */
const AT_HOST: Readonly<Record<Family, Readonly<Record<'input' | 'output', readonly Accept[]>>>> = {
  4: { input: [udp('iif', 'src', 68, 67)], output: [udp('oif', 'dst', 67, 68)] },
  6: {
    input: [udp('iif', 'src', 546, 547), ...[133, 135, 136].map(type => icmp6('iif', 'src', type))],
    output: [udp('oif', 'dst', 547, 546), ...[134, 135, 136].map(type => icmp6('oif', 'dst', type))],
  },
};

function udp(nft: string, iptables: string, from: number, to: number): Accept {
  return {
    nft: `${nft}group ${DEVICE_GROUP} udp sport ${from} udp dport ${to}`,
    iptables: `-p udp -m devgroup --${iptables}-group ${GROUP} -m udp --sport ${from} --dport ${to}`,
  };
}

function icmp6(nft: string, iptables: string, type: number): Accept {
  return {
    nft: `${nft}group ${DEVICE_GROUP} icmpv6 type ${type}`,
    iptables: `-p ipv6-icmp -m devgroup --${iptables}-group ${GROUP} -m icmp6 --icmpv6-type ${type}`,
  };
}

/** The families that pass through a table, of those in use. */
type Families = readonly Family[];
const PASSING: Readonly<Record<string, Families>> = { ip: [4], ip6: [6], inet: [4, 6] };
const passing = ({ family }: ForeignTable, used: Families): Families =>
  (PASSING[family] ?? []).filter(one => used.includes(one));

const accepts = (point: Point, families: Families): readonly Accept[] =>
  point === 'forward' ? FORWARDED : families.flatMap(family => AT_HOST[family][point]);

/** One for each tool that can make a filter, and one for firewalld, which has its own way. */
export function passages(config: Config, uplink: Uplink, used: Families): Resource[] {
  const passers = passersOf(config, uplink, used);
  return [firewalldPolicies(config), ...TOOLS.map(tool => passageThrough(tool, passers))];
}

const TOOLS: readonly Tool[] = ['nft', 'iptables-nft', 'iptables-legacy'];

/** What goes by: the families in use, and where which of it comes from or goes to. */
interface Passers {
  readonly used: Families;
  readonly traffic: (point: Point, families: Families) => Traffic;
}

const passersOf = (config: Config, { device: uplink }: Uplink, used: Families): Passers => ({
  used,
  traffic: (point, families) => ({
    point,
    families,
    uplink,
    prefixes: addressesAt(point, config).filter(({ family }) => families.includes(family)),
  }),
});

/** Chains of others in which what belongs to domains ends, with no accept of ours before that. */
export const blockades = (config: Config, uplink: Uplink, used: Families, view: View): string[] =>
  TOOLS.flatMap(tool => crossings(tool, view, passersOf(config, uplink, used)))
    .filter(({ place, finding }) => place !== undefined && finding.is !== 'present')
    .map(({ table, chain }) => nameOf(table, chain));

/** All that belongs to domains, or what DHCP and neighbour discovery use. */
function addressesAt(point: Point, { pools, dhcp: { scopes } }: Config): Prefix[] {
  const ends =
    point === 'forward' ? pools : ['0.0.0.0', '255.255.255.255', 'fe80::/64', 'ff02::/16'].map(parsePrefix);
  return [...ends, ...scopes];
}

/** Whether anything of ours stands with others: what a base that has lost its own filter must still take along. */
export const hasPassages = (view: View): boolean =>
  hasPolicies(view) ||
  (view.filter.strangers?.tables ?? []).some(({ chains }) =>
    [...chains.values()].some(({ rules }) => rules.some(({ passage }) => passage !== undefined)),
  );

function passageThrough(tool: Tool, passers: Passers): Resource {
  return {
    key: `passage ${tool}`,
    label: `passage through others' filters (${tool})`,
    probe: view => {
      const wrong = crossings(tool, view, passers).filter(crossing => crossing.finding.is !== 'present');
      const [first] = wrong;
      return first === undefined ? PRESENT : first.finding;
    },
    up: view => {
      const wrong = crossings(tool, view, passers).filter(crossing => crossing.finding.is !== 'present');
      return change(
        tool,
        wrong.map(crossing => ({ ...crossing, lines: [...removal(crossing), ...insertion(crossing)] })),
      );
    },
    down: view =>
      change(
        tool,
        crossings(tool, view, passers).map(crossing => ({ ...crossing, lines: removal(crossing) })),
      ),
  };
}

/** A base chain of somebody else's, and how we fare in it. */
interface Crossing {
  readonly table: ForeignTable;
  readonly chain: string;
  readonly accepts: readonly Accept[];
  readonly place: number | undefined;
  readonly finding: Finding;
}

function crossings(tool: Tool, { filter, sysctl }: View, { used, traffic }: Passers): Crossing[] {
  const tables = filter.strangers?.tables ?? [];
  return tables
    .filter(table => table.by === tool && !governsItself(table, sysctl))
    .flatMap(table =>
      [...table.chains].flatMap(([chain, { base }]) => {
        const families = passing(table, used);
        if (base === undefined) return [];
        const place =
          families.length === 0 ? undefined : obstacle(table, chain, traffic(base.point, families));
        const crossing = { table, chain, accepts: accepts(base.point, families), place };
        return [{ ...crossing, finding: probe(crossing, filter.strangers?.complete ?? false) }];
      }),
    );
}

/** Ours are there, all of them before what blocks; and none where nothing blocks (any more). */
function probe({ table, chain, accepts, place }: Omit<Crossing, 'finding'>, complete: boolean): Finding {
  const places = (table.chains.get(chain)?.rules ?? []).flatMap(({ passage }, index) =>
    passage === undefined ? [] : [index],
  );
  const where = nameOf(table, chain);
  if (place === undefined)
    return places.length === 0 || !complete ? PRESENT : changed(`${where} doesn't need it`);
  if (places.length === 0) return ABSENT;
  return places.length === accepts.length && places.every(index => index < place)
    ? PRESENT
    : changed(`${where} blocks before it`);
}

function removal({ table, chain }: Crossing): string[] {
  const rules = (table.chains.get(chain)?.rules ?? []).filter(({ passage }) => passage !== undefined);
  return rules.map(({ handle, passage = '' }) =>
    table.by === 'nft' ? `delete rule ${at(table, chain)} handle ${handle}` : `-D ${chain} ${passage}`,
  );
}

function insertion({ table, chain, accepts, place }: Crossing): string[] {
  const rules = table.chains.get(chain)?.rules ?? [];
  if (place === undefined) return [];
  const before = rules[place];
  if (table.by === 'nft') {
    const position = `insert rule ${at(table, chain)} position ${before?.handle}`;
    const verb = before === undefined ? `add rule ${at(table, chain)}` : position;
    return accepts.map(({ nft }) => `${verb} ${nft} counter accept comment "${MARK}"`);
  }
  // Places are counted as they are once ours are gone.
  const ordinal = rules.slice(0, place).filter(({ passage }) => passage === undefined).length + 1;
  return accepts.map(({ iptables }, index) => {
    const verb = before === undefined ? `-A ${chain}` : `-I ${chain} ${ordinal + index}`;
    return `${verb} ${iptables} -m comment --comment ${MARK} -j ACCEPT`;
  });
}

const nameOf = ({ family, name }: ForeignTable, chain: string): string =>
  `chain ${chain} of table ${family} ${name}`;

const at = ({ family, name }: ForeignTable, chain: string): string => `${family} ${name} ${chain}`;

/** All of it in one transaction; of iptables' tools each knows one family. */
function change(
  tool: Tool,
  changes: readonly (Crossing & { readonly lines: readonly string[] })[],
): Action[] {
  const linesOf = (family?: string): string[] =>
    changes.flatMap(({ table, lines }) => (family === undefined || table.family === family ? lines : []));
  if (tool === 'nft') {
    const lines = linesOf();
    return lines.length === 0 ? [] : [run(['nft', '-f', '-'], lines.map(line => `${line}\n`).join(''))];
  }
  return ['ip', 'ip6'].flatMap(family => {
    const lines = linesOf(family);
    const argv = [`${tool.replace('iptables', `${family}tables`)}-restore`, '-w', '10', '--noflush'];
    return lines.length === 0 ? [] : [run(argv, ['*filter', ...lines, 'COMMIT', ''].join('\n'))];
  });
}
