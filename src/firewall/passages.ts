/**
 * The accepts of ours that stand in other people's filters, and only where they are needed: see strangers.ts.
 *
 * They accept all that enters or leaves by our bridges, which opens nothing: every such packet meets our own
 * filter too, on the same hook, and what that drops stays dropped whoever accepts it. So they come up after it,
 * and go before it.
 */
import { type Action, run } from '../action.ts';
import { type Prefix, parsePrefix } from '../address.ts';
import type { Config } from '../config.ts';
import { DEVICE_GROUP } from '../names.ts';
import { ABSENT, changed, type Finding, PRESENT, type Resource } from '../resources/resource.ts';
import type { View } from '../view.ts';
import { firewalldPolicies, governsItself, hasPolicies } from './firewalld.ts';
import { type ForeignTable, obstacle, type Point, type Tool, type Traffic } from './strangers.ts';
import { MARK } from './strangers-nft.ts';
import type { Uplink } from './uplink.ts';

/** What must be accepted, in the words of nft and of iptables. */
const ACCEPTS: Readonly<Record<Point, readonly { readonly nft: string; readonly iptables: string }[]>> = {
  forward: [
    { nft: `iifgroup ${DEVICE_GROUP}`, iptables: `-m devgroup --src-group 0x${DEVICE_GROUP.toString(16)}` },
    { nft: `oifgroup ${DEVICE_GROUP}`, iptables: `-m devgroup --dst-group 0x${DEVICE_GROUP.toString(16)}` },
  ],
  input: [dhcp('iif', 'src', 68, 67)],
  output: [dhcp('oif', 'dst', 67, 68)],
};

function dhcp(nft: string, iptables: string, from: number, to: number): { nft: string; iptables: string } {
  return {
    nft: `${nft}group ${DEVICE_GROUP} udp sport ${from} udp dport ${to}`,
    iptables: `-p udp -m devgroup --${iptables}-group 0x${DEVICE_GROUP.toString(16)} -m udp --sport ${from} --dport ${to}`,
  };
}

/** One for each tool that can make a filter, and one for firewalld, which has its own way. */
export function passages(config: Config, uplink: Uplink): Resource[] {
  const traffic = trafficOf(config, uplink);
  return [firewalldPolicies(config), ...TOOLS.map(tool => passageThrough(tool, traffic))];
}

const TOOLS: readonly Tool[] = ['nft', 'iptables-nft', 'iptables-legacy'];

type TrafficAt = (point: Point) => Traffic;

const trafficOf =
  (config: Config, { device: uplink }: Uplink): TrafficAt =>
  point => ({ point, uplink, prefixes: addressesAt(point, config) });

/** Chains of others in which what belongs to domains ends, with no accept of ours before that. */
export const blockades = (config: Config, uplink: Uplink, view: View): string[] =>
  TOOLS.flatMap(tool => crossings(tool, view, trafficOf(config, uplink)))
    .filter(({ place, finding }) => place !== undefined && finding.is !== 'present')
    .map(({ table, chain }) => nameOf(table, chain));

/** Where our packets come from or go to: all that belongs to domains, or what DHCP uses (RFC 2131, 4.1). */
function addressesAt(point: Point, { pools, dhcp: { scopes } }: Config): Prefix[] {
  const ends = point === 'forward' ? pools : ['0.0.0.0', '255.255.255.255'].map(parsePrefix);
  return [...ends, ...scopes].filter(({ family }) => family === 4);
}

/** Whether anything of ours stands with others: what a base that has lost its own filter must still take along. */
export const hasPassages = (view: View): boolean =>
  hasPolicies(view) ||
  (view.filter.strangers?.tables ?? []).some(({ chains }) =>
    [...chains.values()].some(({ rules }) => rules.some(({ passage }) => passage !== undefined)),
  );

function passageThrough(tool: Tool, traffic: TrafficAt): Resource {
  return {
    label: `passage through others' filters (${tool})`,
    probe: view => {
      const wrong = crossings(tool, view, traffic).filter(crossing => crossing.finding.is !== 'present');
      const [first] = wrong;
      return first === undefined ? PRESENT : first.finding;
    },
    up: view => {
      const wrong = crossings(tool, view, traffic).filter(crossing => crossing.finding.is !== 'present');
      return change(
        tool,
        wrong.flatMap(crossing => [...removal(crossing), ...insertion(crossing)]),
      );
    },
    down: view => change(tool, crossings(tool, view, traffic).flatMap(removal)),
  };
}

/** A base chain of somebody else's, and how we fare in it. */
interface Crossing {
  readonly table: ForeignTable;
  readonly chain: string;
  readonly point: Point;
  readonly place: number | undefined;
  readonly finding: Finding;
}

function crossings(tool: Tool, { filter, sysctl }: View, traffic: TrafficAt): Crossing[] {
  const tables = filter.strangers?.tables ?? [];
  return tables
    .filter(table => table.by === tool && !governsItself(table, sysctl))
    .flatMap(table =>
      [...table.chains].flatMap(([chain, { base }]) => {
        if (base === undefined) return [];
        const { point } = base;
        const place = obstacle(table, chain, traffic(point));
        const finding = probe(table, chain, point, place, filter.strangers?.complete ?? false);
        return [{ table, chain, point, place, finding }];
      }),
    );
}

/** Ours are there, all of them before what blocks; and none where nothing blocks (any more). */
function probe(
  table: ForeignTable,
  chain: string,
  point: Point,
  place: number | undefined,
  complete: boolean,
): Finding {
  const places = (table.chains.get(chain)?.rules ?? []).flatMap(({ passage }, index) =>
    passage === undefined ? [] : [index],
  );
  const where = nameOf(table, chain);
  if (place === undefined)
    return places.length === 0 || !complete ? PRESENT : changed(`${where} doesn't need it`);
  if (places.length === 0) return ABSENT;
  return places.length === ACCEPTS[point].length && places.every(index => index < place)
    ? PRESENT
    : changed(`${where} blocks before it`);
}

function removal({ table, chain }: Crossing): string[] {
  const rules = (table.chains.get(chain)?.rules ?? []).filter(({ passage }) => passage !== undefined);
  return rules.map(({ handle, passage = '' }) =>
    table.by === 'nft' ? `delete rule ${at(table, chain)} handle ${handle}` : `-D ${chain} ${passage}`,
  );
}

function insertion({ table, chain, point, place }: Crossing): string[] {
  const rules = table.chains.get(chain)?.rules ?? [];
  if (place === undefined) return [];
  const before = rules[place];
  if (table.by === 'nft') {
    const position = `insert rule ${at(table, chain)} position ${before?.handle}`;
    const verb = before === undefined ? `add rule ${at(table, chain)}` : position;
    return ACCEPTS[point].map(({ nft }) => `${verb} ${nft} counter accept comment "${MARK}"`);
  }
  // Places are counted as they are once ours are gone.
  const ordinal = rules.slice(0, place).filter(({ passage }) => passage === undefined).length + 1;
  return ACCEPTS[point].map(({ iptables }, index) => {
    const verb = before === undefined ? `-A ${chain}` : `-I ${chain} ${ordinal + index}`;
    return `${verb} ${iptables} -m comment --comment ${MARK} -j ACCEPT`;
  });
}

const nameOf = ({ family, name }: ForeignTable, chain: string): string =>
  `chain ${chain} of table ${family} ${name}`;

const at = ({ family, name }: ForeignTable, chain: string): string => `${family} ${name} ${chain}`;

/** All of it in one transaction. */
function change(tool: Tool, lines: readonly string[]): Action[] {
  if (lines.length === 0) return [];
  return tool === 'nft'
    ? [run(['nft', '-f', '-'], lines.map(line => `${line}\n`).join(''))]
    : [run([`${tool}-restore`, '-w', '10', '--noflush'], ['*filter', ...lines, 'COMMIT', ''].join('\n'))];
}
