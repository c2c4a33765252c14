/**
 * Our accepts in other people's filters, only where they are needed: see obstacles.ts. They open nothing: what they accept
 * also meets our own filter on the same hook, where a drop is final. So they come up after our filter, and go before it.
 */
import { parsePrefix } from '../../model/address.ts';
import type { Config } from '../../model/config.ts';
import type { Family } from '../../model/prefix.ts';
import type { Uplinks } from '../../model/uplink.ts';
import type { ForeignChain, ForeignRule, ForeignTable, Point, Tool, View } from '../../model/view.ts';
import { type Action, run } from '../../resources/action.ts';
import {
  ABSENT,
  changed,
  type Finding,
  isWrong,
  misplaced,
  PRESENT,
  type Resource,
} from '../../resources/resource.ts';
import type { Firewall } from '../rules/backend.ts';
import { type Accept, acceptsAt } from './accepts.ts';
import { firewalldPolicies, governsItself, hasPolicies } from './firewalld.ts';
import { type NeededTraffic, obstacle } from './obstacles.ts';
import { MARK } from './words.ts';

/** The families in use on this host. */
type Families = readonly Family[];

/** What the passages lead around, and past what else: the filter in use. */
type Own = Pick<Firewall, 'name' | 'families'>;

/** One resource for each tool that can make a filter, and one for firewalld, which needs policies instead. */
export function passages(config: Config, uplinks: Uplinks, own: Own): Resource[] {
  return [
    firewalldPolicies(config),
    ...TOOLS.map(tool => passageThrough(tool, view => crossings(tool, view, config, uplinks, own))),
  ];
}

const TOOLS: readonly Tool[] = ['nft', 'iptables-nft', 'iptables-legacy'];

/** What chains of others do to what belongs to domains, with no accept of ours before that; a sentence each. */
export const blockades = (config: Config, uplinks: Uplinks, own: Own, view: View): string[] =>
  TOOLS.flatMap(tool => crossings(tool, view, config, uplinks, own))
    .filter(crossing => crossing.place !== undefined && isWrong(crossing))
    .map(
      ({ table, chain, point }) =>
        `${chainName(table, chain)} ${point === 'postrouting' ? "translates VMs' public addresses" : 'drops what VMs send or get'}`,
    );

/** Whether any accept or policy of ours exists: these must be removed even if our own filter is gone. */
export const hasPassages = (view: View): boolean =>
  hasPolicies(view) ||
  (view.filter.foreign?.tables ?? []).some(({ chains }) =>
    [...chains.values()].some(({ rules }) => rules.some(({ passage }) => passage !== undefined)),
  );

function passageThrough(tool: Tool, crossingsIn: (view: View) => readonly Crossing[]): Resource {
  const wrong = (view: View): Crossing[] => crossingsIn(view).filter(isWrong);
  return {
    key: `passage ${tool}`,
    affects: view => ({ families: [...new Set(wrong(view).flatMap(({ families }) => families))] }),
    label: `passage through others' filters (${tool})`,
    probe: view => wrong(view)[0]?.finding ?? PRESENT,
    up: view => change(tool, wrong(view), crossing => [...removal(crossing), ...insertion(crossing)]),
    down: view => change(tool, crossingsIn(view), removal),
  };
}

/** A base chain of somebody else's that our packets cross. */
interface Crossing {
  readonly table: ForeignTable;
  readonly point: Point;
  readonly chain: string;
  /** Those of the domains' packets that cross it. */
  readonly families: Families;
  readonly rules: readonly ForeignRule[];
  /** What must be accepted in it. */
  readonly accepts: readonly Accept[];
  /** The rule before which our accepts must be (see {@link obstacle}); undefined where the chain blocks nothing. */
  readonly place: number | undefined;
  /** Whether they are there. */
  readonly finding: Finding;
}

function crossings(tool: Tool, view: View, config: Config, uplinks: Uplinks, own: Own): Crossing[] {
  const { tables = [], complete = false } = view.filter.foreign ?? {};
  const queues = queuesIn(view.sysctl(QUEUES) ?? '');
  const theirs = tables.filter(one => one.by === tool && !governsItself(one, view.sysctl));
  return theirs.flatMap(table =>
    [...table.chains].flatMap(([chain, { base, rules }]) => {
      if (base === undefined || !isMet(table, base, own)) return [];
      const { point } = base;
      const families = own.families.filter(one => FAMILIES_IN[table.family]?.includes(one));
      const traffic = trafficAt(point, families, config, uplinks, queues);
      const place = families.length === 0 ? undefined : obstacle(table, chain, traffic);
      const accepts = acceptsAt(point, families, config);
      const crossing = { table, chain, point, families, rules, accepts, place };
      return [{ ...crossing, finding: probe(crossing, complete) }];
    }),
  );
}

/** The priority of our own chain that keeps public sources. A flow that has met it is translated by nobody. */
const KEPT: Readonly<Record<Firewall['name'], number>> = { iptables: 100, nftables: 99 };

/** In iptables' own table our jump comes first. Of chains with one priority the kernel takes the newest first. */
const isMet = (
  table: ForeignTable,
  { point, priority }: NonNullable<ForeignChain['base']>,
  own: Own,
): boolean =>
  point !== 'postrouting' ||
  (!/^ip6? nat$/.test(`${table.family} ${table.name}`) && priority <= KEPT[own.name]);

/** A line for each queue on which a program listens, which begins with its number. */
const QUEUES = '/proc/net/netfilter/nfnetlink_queue';
const queuesIn = (text: string): ReadonlySet<number> =>
  new Set([...text.matchAll(/^ *(\d+)/gm)].map(([, number]) => Number(number)));

/** The families whose packets a table of nft's family sees. */
const FAMILIES_IN: Readonly<Record<string, Families>> = { ip: [4], ip6: [6], inet: [4, 6] };

/** The traffic of domains at a hook: all forwarded packets; at the host, DHCP and neighbour discovery. */
function trafficAt(
  point: Point,
  families: Families,
  config: Config,
  uplinks: Uplinks,
  queues: ReadonlySet<number>,
): NeededTraffic {
  const all = {
    forward: [...config.pools, ...config.dhcp.scopes],
    input: [...HOST_PREFIXES, ...config.dhcp.scopes],
    output: [...HOST_PREFIXES, ...config.dhcp.scopes],
    // Scopes are translated.
    postrouting: config.pools,
  }[point];
  const wires = config.cluster === undefined ? [] : [config.cluster.wire];
  return {
    point,
    families,
    uplinks: [...uplinks.map(({ device }) => device), ...wires],
    queues,
    prefixes: all.filter(({ family }) => families.includes(family)),
  };
}

const HOST_PREFIXES = ['0.0.0.0', '255.255.255.255', 'fe80::/64', 'ff02::/16'].map(parsePrefix);

/** Present: all our accepts come before the rule that blocks; or nothing blocks, and none is there. */
function probe(crossing: Omit<Crossing, 'finding'>, complete: boolean): Finding {
  const { table, chain, rules, accepts, place } = crossing;
  const places = rules.flatMap(({ passage }, index) => (passage === undefined ? [] : [index]));
  const where = chainName(table, chain);
  if (place === undefined)
    return places.length === 0 || !complete ? PRESENT : misplaced(`${where} doesn't need it`);
  if (places.length === 0) return ABSENT;
  return places.length === accepts.length && places.every(index => index < place)
    ? PRESENT
    : changed(`${where} blocks before it`);
}

const removal = ({ table, chain, rules }: Crossing): string[] =>
  rules
    .filter(({ passage }) => passage !== undefined)
    .map(({ handle, passage }) =>
      table.by === 'nft' ? `delete rule ${at(table, chain)} handle ${handle}` : `-D ${chain} ${passage}`,
    );

function insertion({ table, chain, rules, accepts, place }: Crossing): string[] {
  if (place === undefined) return [];
  const before = rules[place];
  if (table.by === 'nft') {
    const position = `insert rule ${at(table, chain)} position ${before?.handle}`;
    const verb = before === undefined ? `add rule ${at(table, chain)}` : position;
    return accepts.map(({ nft }) => `${verb} ${nft} counter accept comment "${MARK}"`);
  }
  // iptables counts rules as they are after the removal of ours.
  const ordinal = rules.slice(0, place).filter(({ passage }) => passage === undefined).length + 1;
  return accepts.map(({ iptables }, index) => {
    const verb = before === undefined ? `-A ${chain}` : `-I ${chain} ${ordinal + index}`;
    return `${verb} ${iptables} -m comment --comment ${MARK} -j ACCEPT`;
  });
}

const chainName = ({ family, name }: ForeignTable, chain: string): string =>
  `chain ${chain} of table ${family} ${name}`;

const at = ({ family, name }: ForeignTable, chain: string): string => `${family} ${name} ${chain}`;

/** The lines of all crossings in one transaction; of iptables' tools, one for each family. */
function change(tool: Tool, crossings: readonly Crossing[], linesOf: (one: Crossing) => string[]): Action[] {
  if (tool === 'nft') {
    const lines = crossings.flatMap(linesOf);
    return lines.length === 0 ? [] : [run(['nft', '-f', '-'], lines.map(line => `${line}\n`).join(''))];
  }
  return ['ip', 'ip6'].flatMap(family => {
    const lines = crossings.filter(({ table }) => table.family === family).flatMap(linesOf);
    const argv = [`${tool.replace('iptables', `${family}tables`)}-restore`, '-w', '10', '--noflush'];
    return lines.length === 0 ? [] : [run(argv, ['*filter', ...lines, 'COMMIT', ''].join('\n'))];
  });
}
