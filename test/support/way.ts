/** The way of a packet through the filter, in the text of a plan: which rules it meets, and which sets are looked up. */

/** What is to be known of a packet. It is neither DHCP nor ICMP, spoofs nothing, and isn't for the host. */
export interface Packet {
  readonly from: 'uplink' | 'domain';
  readonly to: 'uplink' | 'domain';
  /** The sets that hold its source, and those that hold its destination, without their prefix. */
  readonly source: readonly string[];
  readonly destination: readonly string[];
}

export interface Way {
  /** Rules that are tried, whether they match or not. */
  readonly rules: number;
  /** Sets of addresses that are looked up. A set of nft's that is two is two. */
  readonly lookups: readonly string[];
}

type Chains = ReadonlyMap<string, readonly string[]>;
interface State {
  rules: number;
  lookups: string[];
  isUntracked: boolean;
}
type Condition = readonly [
  words: RegExp,
  holds: (packet: Packet, state: State, found: RegExpExecArray) => boolean,
];

/** The way from the uplink or a domain through the chains of raw, and then of forwarded packets. */
export function wayOf(packet: Packet, plan: string, family: 4 | 6): Way {
  const isNft = plan.includes(`nft 'add table ip hnet'`);
  const state: State = { rules: 0, lookups: [], isUntracked: false };
  const [chains, entrances] = isNft
    ? [nftChains(plan, family), ['raw-prerouting', 'filter-forward']]
    : [iptablesChains(plan, family), ['raw PREROUTING', 'mangle FORWARD', 'filter FORWARD']];
  for (const entrance of entrances) walk(entrance, chains, packet, state);
  return state;
}

function nftChains(plan: string, family: 4 | 6): Chains {
  const table = family === 4 ? 'ip' : 'ip6';
  const lines = [...plan.matchAll(/^nft 'add rule (ip6?) hnet (\S+) (.*)'$/gm)];
  return grouped(lines.flatMap(([, of, chain = '', text = '']) => (of === table ? [[chain, text]] : [])));
}

function iptablesChains(plan: string, family: 4 | 6): Chains {
  const tool = family === 4 ? 'iptables' : 'ip6tables';
  const texts = plan.matchAll(/^(ip6?tables)-restore .*\n\*(\w+)\n([\s\S]*?)^COMMIT$/gm);
  return grouped(
    [...texts].flatMap(([, of, table = '', text = '']) =>
      of !== tool
        ? []
        : [...text.matchAll(/^-(?:A (\S+)|I (\S+) 1) (.*)$/gm)].map(([, chain, builtin, rule = '']) => [
            // A chain of the kernel's is another in each table.
            chain ?? `${table} ${builtin}`,
            rule,
          ]),
    ),
  );
}

function grouped(lines: readonly (readonly string[])[]): Chains {
  const chains = new Map<string, string[]>();
  for (const [chain = '', rule = ''] of lines) chains.set(chain, [...(chains.get(chain) ?? []), rule]);
  return chains;
}

/** Through a chain, and those to which it leads. */
function walk(name: string, chains: Chains, packet: Packet, state: State): void {
  for (const rule of chains.get(name) ?? []) {
    state.rules++;
    const verdict = verdictOf(rule, packet, state);
    if (verdict === undefined) continue;
    const [, jumps, target = ''] = /^(-j|-g|jump|goto) (hnet-\S+)/.exec(verdict) ?? [];
    if (jumps === undefined) {
      if (/notrack/.test(verdict)) state.isUntracked = true;
      else if (/^(-j )?(return|accept)$/i.test(verdict)) return;
      else throw new Error(`${name}: an ordinary packet ends at "${verdict}"`);
      continue;
    }
    walk(target, chains, packet, state);
    if (jumps === '-g' || jumps === 'goto') return;
  }
}

/** What a rule does with the packet; undefined where a condition doesn't hold. Those after that one aren't tried. */
function verdictOf(rule: string, packet: Packet, state: State): string | undefined {
  let rest = rule.replace(/ comment ".*"$/, '');
  while (!VERDICT.test(rest)) {
    const met = CONDITIONS.flatMap(([words, holds]) => {
      const found = words.exec(rest);
      return found === null ? [] : [{ found, holds }];
    })[0];
    if (met === undefined) throw new Error(`Cannot tell whether a packet matches "${rest}"`);
    rest = rest.slice(met.found[0].length).trimStart();
    if (!met.holds(packet, state, met.found)) return undefined;
  }
  return rest;
}

const VERDICT = /^(-j|-g|jump|goto|return|accept|notrack|drop|counter)/;
const never = (): boolean => false;

function inSet(packet: Packet, state: State, { groups = {} }: RegExpExecArray): boolean {
  const { set = '', not, side = '' } = groups;
  state.lookups.push(set);
  return packet[side.startsWith('s') ? 'source' : 'destination'].includes(set) === (not === undefined);
}

const CONDITIONS: readonly Condition[] = [
  [/^(?:-i|iifname) "?eth0"?/, ({ from }) => from === 'uplink'],
  [/^(?:-o|oifname) "?eth0"?/, ({ to }) => to === 'uplink'],
  [/^(?:-m devgroup --src-group|iifgroup) \S+/, ({ from }) => from === 'domain'],
  [/^(?:-m devgroup --dst-group|oifgroup) \S+/, ({ to }) => to === 'domain'],
  [/^-m set (?<not>! )?--match-set hnet[46]-(?<set>\S+) (?<side>src|dst)(?!,)/, inSet],
  [/^ip6? (?<side>[sd])addr (?<not>!= )?@hnet[46]-(?<set>\S+)/, inSet],
  [/^(?:-m conntrack --ctstate UNTRACKED|ct state untracked)/, (_, { isUntracked }) => isUntracked],
  // A fingerprint's rule.
  [/^-i hnet\b/, never],
  // Comparisons with ranges of ours, or with single addresses; the packet is none of these.
  [/^(?:-[sd]|ip6? [sd]addr) [0-9a-f.:/]+/, never],
  [/^(?:-m rpfilter --invert|-m addrtype --\S+ \S+|fib [sd]addr (?:\. iif oif|type) \S+)/, never],
  [/^(?:-p (?:icmp|ipv6-icmp)|icmp\S* type \{[^}]*\})/, never],
  [/^(?:-m conntrack --ctstate (?:DNAT|RELATED)\S*|ct status dnat|ct state related,established)/, never],
];
