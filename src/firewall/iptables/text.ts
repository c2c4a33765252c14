/** The filter's rules in the words of iptables, and what iptables and ipset print in return. */
import { format } from '../../model/address.ts';
import { type Counter, ZERO } from '../../model/counter.ts';
import { DEVICE_GROUP } from '../../model/names.ts';
import { numberOf, type PortRange, type Protocol } from '../../model/ports.ts';
import { bits, FAMILIES, type Family, type Prefix } from '../../model/prefix.ts';
import type { FilterView, RuleLine } from '../../model/view.ts';
import {
  combinations,
  type Match,
  ND,
  type PlainMatch,
  type Rule,
  type Side,
  type Verdict,
} from '../rules/rules.ts';
import { setNames, WHOLE } from '../rules/sets.ts';

const GROUP = `0x${DEVICE_GROUP.toString(16)}`;

/** The match multiport takes fifteen ports (iptables-extensions(8)); a range counts as two. */
const MULTIPORT = 15;

/** A rule as lines of iptables: several for several ICMP types, or for more ports than one match takes. */
export function renderRule({ when, verdict }: Rule, family: Family): string[] {
  const combined = combinations(when.map(match => renderMatch(match, family)));
  const flood = when.find(match => match.is === 'flood');
  return combined.flatMap(words => [
    ...(flood === undefined ? [] : [[...words.slice(0, -1), noting(flood)].join(' ')]),
    [...words, renderVerdict(verdict, family)].join(' '),
  ]);
}

/** Starts to count the packets of a bridge, until the entry expires. */
const noting = ({ set, of }: { readonly set: string; readonly of: Side }): string =>
  `-m set ! --match-set ${set} ${bothOf(of)} ! --update-counters -j SET --add-set ${set} ${bothOf(of)}`;

/** What a set of two parts is asked for. */
const bothOf = (side: Side): string => `${SIDE[side]},${SIDE[side]}`;

function renderMatch(match: Match, family: Family): readonly string[] {
  switch (match.is) {
    case 'from-device':
      return match.devices.map(device => `-i ${device}`);
    case 'to-device':
      return match.devices.map(device => `-o ${device}`);
    case 'set':
      return [renderSet(match)];
    case 'service':
      return [`-m set --match-set ${match.set} ${bothOf(match.side)}`];
    case 'net':
      return [`${match.side === 'source' ? '-s' : '-d'} ${format(match.prefix)}`];
    case 'state':
      return [`-m conntrack --ctstate ${match.states.join(',')}`];
    case 'flood':
      return [`-m set --match-set ${match.set} ${bothOf(match.of)} --packets-gt ${match.packets}`];
    case 'protocol':
      return [renderProtocol(match.protocol, family)];
    case 'ports':
      return renderPorts(match);
    case 'icmp-types':
      return match.types.map(icmp[family]);
    default:
      return PLAIN[match.is][family];
  }
}

/** ipset has single addresses and subnets in one set, so `only` is for the other backend. */
const renderSet = (match: Extract<Match, { is: 'set' }>): string =>
  `-m set ${'not' in match ? '! ' : ''}--match-set ${match.name} ${SIDE[match.side]}`;

function renderProtocol(protocol: Protocol, family: Family): string {
  if (protocol === 'icmp') return `-p ${family === 6 ? 'ipv6-icmp' : protocol}`;
  const number = numberOf(protocol);
  const extension = family === 6 ? EXTENSIONS[number] : undefined;
  if (extension !== undefined) return `-m ipv6header --header ${extension} --soft`;
  // To iptables, protocol 0 is any: so this one looks at the byte itself.
  return number === 0
    ? '-m u32 --u32 6&0xff=0'
    : `-p ${protocol === 'tcp' || protocol === 'udp' ? protocol : number}`;
}

/** IPv6's extension headers (RFC 8200, 4.1) are no protocol to `-p`. */
const EXTENSIONS: Readonly<Record<number, string>> = {
  0: 'hop',
  43: 'route',
  44: 'frag',
  51: 'auth',
  60: 'dst',
};

const SIDE = { source: 'src', destination: 'dst' };

const icmp: Readonly<Record<Family, (type: number) => string>> = {
  4: type => `-p icmp -m icmp --icmp-type ${type}`,
  6: type => `-p ipv6-icmp -m icmp6 --icmpv6-type ${type}`,
};

type PerFamily = Readonly<Record<Family, readonly string[]>>;
const both = (words: string): PerFamily => ({ 4: [words], 6: [words] });
const udp = (from: number, to: number): string => `-p udp -m udp --sport ${from} --dport ${to}`;

const PLAIN: Readonly<Record<PlainMatch, PerFamily>> = {
  'from-domain': both(`-m devgroup --src-group ${GROUP}`),
  'to-domain': both(`-m devgroup --dst-group ${GROUP}`),
  reply: both('-m conntrack --ctdir REPLY'),
  redirected: both('-m conntrack --ctstate DNAT'),
  'redirected-call': both('-m conntrack --ctstate DNAT --ctdir ORIGINAL'),
  spoofed: both('-m rpfilter --invert'),
  'broadcast-source': both('-m addrtype --src-type BROADCAST'),
  local: both('-m addrtype --dst-type LOCAL'),
  'not-opening': both('-p tcp -m tcp ! --syn'),
  announcing: both('-p tcp -m tcp --tcp-flags SYN,RST SYN'),
  'dhcp-discover': both(`-s 0.0.0.0/32 -d 255.255.255.255/32 ${udp(68, 67)}`),
  'dhcp-request': { 4: [udp(68, 67)], 6: [udp(546, 547)] },
  'dhcp-reply': { 4: [udp(67, 68)], 6: [udp(547, 546)] },
  // Unreachable, time exceeded, parameter problem (RFC 792); in IPv6 also packet too big (RFC 4443).
  'icmp-error': { 4: [3, 11, 12].map(icmp[4]), 6: [1, 2, 3, 4].map(icmp[6]) },
  'icmp-redirect': { 4: [icmp[4](5)], 6: [icmp[6](ND.redirect)] },
};

function renderPorts({ protocol, side, ranges }: Extract<Match, { is: 'ports' }>): string[] {
  const option = side === 'source' ? 'sports' : 'dports';
  return portGroups(ranges).map(ports => `-p ${protocol} -m multiport --${option} ${ports}`);
}

function portGroups(ranges: readonly PortRange[]): string[] {
  const groups: string[][] = [[]];
  let free = MULTIPORT;
  for (const [first, final] of ranges) {
    const cost = first === final ? 1 : 2;
    if (free < cost) groups.push([]);
    free = (free < cost ? MULTIPORT : free) - cost;
    groups.at(-1)?.push(first === final ? String(first) : `${first}:${final}`);
  }
  return groups.map(group => group.join(','));
}

function renderVerdict(verdict: Verdict, family: Family): string {
  if (verdict.do === 'jump') return `-j ${verdict.chain}`;
  if (verdict.do === 'goto') return `-g ${verdict.chain}`;
  if (verdict.do === 'checksum') return '-j CHECKSUM --checksum-fill';
  if (verdict.do === 'clamp')
    return `-j TCPMSS ${verdict.segment === 'path' ? '--clamp-mss-to-pmtu' : `--set-mss ${verdict.segment}`}`;
  if (verdict.do === 'redirect') return renderRedirect(verdict);
  if (verdict.do === 'translate') return `-j SNAT --to-source ${format(verdict.source)}`;
  if (verdict.do === 'keep') return KEEP[family];
  if (verdict.do === 'note-service') return `-j SET --add-set ${verdict.set} ${bothOf(verdict.side)} --exist`;
  if (verdict.do === 'note') return renderNote(verdict);
  return `-j ${TARGETS[verdict.do]}`;
}

/** Of a range each port keeps its place: the number behind the slash is the first port that is called. */
function renderRedirect({ target, ports: [first, final], to }: Extract<Verdict, { do: 'redirect' }>): string {
  const address = target.family === 4 ? format(target) : `[${format(target)}]`;
  if (to === first) return `-j DNAT --to-destination ${format(target)}`;
  const ports = first === final ? to : `${to}-${to + final - first}/${first}`;
  return `-j DNAT --to-destination ${address}:${ports}`;
}

function renderNote({ set, side, seconds }: Extract<Verdict, { do: 'note' }>): string {
  const timeout = seconds === undefined ? '' : ` --timeout ${seconds}`;
  return `-j SET --add-set ${set} ${SIDE[side]} --exist${timeout}`;
}

/** Translates every source to itself. After an ACCEPT, nft's chains on the same hook might still translate it. */
const KEEP: Readonly<Record<Family, string>> = { 4: '-j NETMAP --to 0.0.0.0/0', 6: '-j NETMAP --to ::/0' };

const TARGETS = { return: 'RETURN', untrack: 'CT --notrack', drop: 'DROP' };

/** The chain or target of a printed rule. */
export const targetOf = (line: string): string | undefined =>
  /(?:^| )-[jg] (\S+)/.exec(line.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""'))?.[1];

/** A table's name in the view, where IPv6 has tables of the same names. */
export const tableKey = (table: string, family: Family): string => (family === 4 ? table : `${table}6`);

/** Reads `iptables-save -c`: `*table`, `:chain …`, `[packets:bytes] -A chain rule`. The target SET drops nothing. */
export function parseChains(saved: string, family: Family): Map<string, RuleLine[]> {
  const chains = new Map<string, RuleLine[]>();
  let table = '';
  for (const line of saved.split('\n')) {
    if (line.startsWith('*')) table = tableKey(line.slice(1), family);
    const [, declared] = /^:(\S+) /.exec(line) ?? [];
    if (declared !== undefined) chains.set(`${table} ${declared}`, []);
    const [, packets, bytes, chain, text] = /^\[(\d+):(\d+)\] -A (\S+) ?(.*)$/.exec(line) ?? [];
    if (chain === undefined || text === undefined) continue;
    const counter = { packets: BigInt(packets ?? 0), bytes: BigInt(bytes ?? 0) };
    chains.get(`${table} ${chain}`)?.push({ text, counter: targetOf(text) === 'SET' ? ZERO : counter });
  }
  return chains;
}

/** Reads our sets from `ipset save`. @param prefixes reads only their entries: a stop needs one of perhaps 4,000 */
export function parseSets(saved: string, prefixes?: readonly Prefix[]): Map<string, Map<string, Counter>> {
  const sets = new Map<string, Map<string, Counter>>();
  for (const line of prefixes === undefined ? saved.split('\n') : linesOf(saved, prefixes)) {
    const [verb, name = '', entry = ''] = line.split(' ');
    if (!name.startsWith('hnet')) continue;
    if (verb === 'create') sets.set(name, new Map());
    if (verb !== 'add' || isLearnt(name, line)) continue;
    const [, packets = '0', bytes = '0'] = / packets (\d+) bytes (\d+)/.exec(line) ?? [];
    sets.get(name)?.set(withLength(entry), { packets: BigInt(packets), bytes: BigInt(bytes) });
  }
  return sets;
}

const PARTICULAR: ReadonlySet<string> = new Set(FAMILIES.map(family => setNames(family).particular));

const WHOLE_WORDS = FAMILIES.map(family => ` ${format(WHOLE[family])} `);

/** Whether a packet has added it, or it is there for such entries, in the set that also holds what hnet adds. */
const isLearnt = (name: string, line: string): boolean =>
  PARTICULAR.has(name) && (/ timeout [1-9]/.test(line) || WHOLE_WORDS.some(words => line.includes(words)));

function linesOf(saved: string, prefixes: readonly Prefix[]): readonly string[] {
  const entries = prefixes.map(prefix => format(prefix).replaceAll('.', '\\.'));
  return saved.match(new RegExp(`^(create .*|add \\S+ (${entries.join('|')})( .*)?)$`, 'gm')) ?? [];
}

/** ipset prints a single address without its length. */
const withLength = (entry: string): string =>
  entry.includes('/') ? entry : `${entry}/${bits(entry.includes(':') ? 6 : 4)}`;

/** The sets that rules name exist: the kernel doesn't delete them. */
export function setsNamedBy(chains: FilterView['chains']): Map<string, 'unread'> {
  const texts = [...chains.values()].flat().map(({ text }) => text);
  const found = texts.flatMap(text => [...text.matchAll(/--(?:match|add)-set (\S+)/g)]);
  return new Map(found.map(([, name = '']) => [name, 'unread']));
}
