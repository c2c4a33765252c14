/** The filter's rules in the words of iptables, and what iptables and ipset print in return. */
import { format } from '../../model/address.ts';
import { DEVICE_GROUP } from '../../model/names.ts';
import type { PortRange } from '../../model/ports.ts';
import { bits, type Family, type Prefix } from '../../model/prefix.ts';
import type { Counter, FilterView, RuleLine } from '../../model/view.ts';
import { combinations, type Match, type Rule, type Verdict } from '../rules/rules.ts';
import { SOLICITATIONS } from '../rules/sets.ts';

const GROUP = `0x${DEVICE_GROUP.toString(16)}`;

/** multiport(8) takes fifteen ports, of which a range is two. */
const MULTIPORT = 15;

/**
 * A rule as the lines that say it: iptables has no "or" within a rule, so several ICMP types, or more ports
 * than one match takes, become several lines.
 */
export function renderRule({ when, verdict }: Rule, family: Family): string[] {
  const combined = combinations(when.map(match => renderMatch(match, family)));
  const line = (words: readonly string[], target: string): string => [...words, target].join(' ');
  const flood = when.find(match => match.is === 'flood');
  return combined.flatMap(words => [
    ...(flood === undefined ? [] : [line(words.slice(0, -1), noting(flood.set))]),
    line(words, renderVerdict(verdict)),
  ]);
}

/** Begins to count what a bridge sends, until the entry ends by itself. */
const noting = (set: string): string =>
  `-m set ! --match-set ${set} src,src ! --update-counters -j SET --add-set ${set} src,src`;

function renderMatch(match: Match, family: Family): string[] {
  switch (match.is) {
    case 'from-domain':
      return [`-m devgroup --src-group ${GROUP}`];
    case 'to-domain':
      return [`-m devgroup --dst-group ${GROUP}`];
    case 'from-device':
      return [`-i ${match.device}`];
    case 'to-device':
      return [`-o ${match.device}`];
    case 'set':
      return [
        `-m set ${match.not ? '! ' : ''}--match-set ${match.name} ${match.side === 'source' ? 'src' : 'dst'}`,
      ];
    case 'net':
      return [`${match.side === 'source' ? '-s' : '-d'} ${format(match.prefix)}`];
    case 'state':
      return [`-m conntrack --ctstate ${match.states.join(',')}`];
    case 'reply':
      return ['-m conntrack --ctdir REPLY'];
    case 'spoofed':
      return ['-m rpfilter --invert'];
    case 'broadcast-source':
      return ['-m addrtype --src-type BROADCAST'];
    case 'local':
      return ['-m addrtype --dst-type LOCAL'];
    case 'not-opening':
      return ['-p tcp -m tcp ! --syn'];
    case 'flood':
      return [`-m set --match-set ${match.set} src,src --packets-gt ${SOLICITATIONS}`];
    default:
      return renderProtocolMatch(match, family);
  }
}

type ProtocolMatch = Extract<
  Match,
  {
    is:
      | 'protocol'
      | 'ports'
      | 'dhcp-discover'
      | 'dhcp-request'
      | 'dhcp-reply'
      | 'icmp-types'
      | 'icmp-error'
      | 'icmp-redirect';
  }
>;

/** ICMP types: unreachable, time exceeded, parameter problem (RFC 792); for IPv6 also packet too big (RFC 4443). */
const ICMP_ERRORS: Readonly<Record<Family, readonly number[]>> = { 4: [3, 11, 12], 6: [1, 2, 3, 4] };
const ICMP_REDIRECT: Readonly<Record<Family, number>> = { 4: 5, 6: 137 };

function renderProtocolMatch(match: ProtocolMatch, family: Family): string[] {
  const icmp = (type: number): string =>
    family === 4 ? `-p icmp -m icmp --icmp-type ${type}` : `-p ipv6-icmp -m icmp6 --icmpv6-type ${type}`;
  switch (match.is) {
    case 'protocol':
      return [`-p ${match.protocol === 'icmp' && family === 6 ? 'ipv6-icmp' : match.protocol}`];
    case 'ports':
      return portGroups(match.ranges).map(
        ports =>
          `-p ${match.protocol} -m multiport --${match.side === 'source' ? 'sports' : 'dports'} ${ports}`,
      );
    case 'dhcp-discover':
      return ['-s 0.0.0.0/32 -d 255.255.255.255/32 -p udp -m udp --sport 68 --dport 67'];
    case 'dhcp-request':
      return [family === 4 ? '-p udp -m udp --sport 68 --dport 67' : '-p udp -m udp --sport 546 --dport 547'];
    case 'dhcp-reply':
      return [family === 4 ? '-p udp -m udp --sport 67 --dport 68' : '-p udp -m udp --sport 547 --dport 546'];
    case 'icmp-types':
      return match.types.map(icmp);
    case 'icmp-error':
      return ICMP_ERRORS[family].map(icmp);
    case 'icmp-redirect':
      return [icmp(ICMP_REDIRECT[family])];
  }
}

function portGroups(ranges: readonly PortRange[]): string[] {
  const groups: string[][] = [[]];
  let used = 0;
  for (const [first, final] of ranges) {
    const cost = first === final ? 1 : 2;
    if (used + cost > MULTIPORT) groups.push([]);
    used = used + cost > MULTIPORT ? cost : used + cost;
    groups.at(-1)?.push(first === final ? String(first) : `${first}:${final}`);
  }
  return groups.map(group => group.join(','));
}

function renderVerdict(verdict: Verdict): string {
  switch (verdict.do) {
    case 'accept':
      return '-j ACCEPT';
    case 'return':
      return '-j RETURN';
    case 'untrack':
      return '-j CT --notrack';
    case 'drop':
      return '-j DROP';
    case 'jump':
      return `-j ${verdict.chain}`;
    case 'goto':
      return `-g ${verdict.chain}`;
    case 'translate':
      return `-j SNAT --to-source ${format(verdict.source)}`;
  }
}

/** Where a printed rule leads: a chain or a target. */
export const targetOf = (line: string): string | undefined => /-[jg] (\S+)/.exec(line)?.[1];

/** Where a table of a family stands in the view: IPv6 has tables of the same names. */
export const tableKey = (table: string, family: Family): string => (family === 4 ? table : `${table}6`);

/** Reads `iptables-save -c`: `*table`, `:chain …`, `[packets:bytes] -A chain rule`. What only notes counts nothing. */
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
    chains
      .get(`${table} ${chain}`)
      ?.push({ text, counter: targetOf(text) === 'SET' ? { packets: 0n, bytes: 0n } : counter });
  }
  return chains;
}

/**
 * Reads what `ipset save` says of our sets: `create NAME …`, `add NAME ENTRY packets N bytes N`, a single address without its length.
 * @param prefixes whose entries are wanted, where not all are: of 4,000 a stop wants one
 */
export function parseSets(saved: string, prefixes?: readonly Prefix[]): Map<string, Map<string, Counter>> {
  const sets = new Map<string, Map<string, Counter>>();
  for (const line of prefixes === undefined ? saved.split('\n') : linesOf(saved, prefixes)) {
    const [verb, name = '', entry = ''] = line.split(' ');
    if (!name.startsWith('hnet')) continue;
    if (verb === 'create') sets.set(name, new Map());
    if (verb !== 'add') continue;
    const [, packets = '0', bytes = '0'] = / packets (\d+) bytes (\d+)/.exec(line) ?? [];
    sets.get(name)?.set(withLength(entry), { packets: BigInt(packets), bytes: BigInt(bytes) });
  }
  return sets;
}

function linesOf(saved: string, prefixes: readonly Prefix[]): readonly string[] {
  const entries = prefixes.map(prefix => format(prefix).replaceAll('.', '\\.'));
  return saved.match(new RegExp(`^(create .*|add \\S+ (${entries.join('|')})( .*)?)$`, 'gm')) ?? [];
}

const withLength = (entry: string): string =>
  entry.includes('/') ? entry : `${entry}/${bits(entry.includes(':') ? 6 : 4)}`;

/** The kernel keeps a set that a rule refers to: rules alone tell that it exists. */
export function setsNamedBy(chains: FilterView['chains']): Map<string, 'unread'> {
  const names = [...chains.values()].flat().flatMap(({ text }) => /--match-set (\S+)/.exec(text)?.[1] ?? []);
  return new Map(names.map(name => [name, 'unread']));
}
