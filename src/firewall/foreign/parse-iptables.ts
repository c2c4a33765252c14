/** Reads the filter table, as iptables-nft-save and iptables-legacy-save print it. Whatever it doesn't know is particular. */
import type { Condition, Effect, ForeignChain, ForeignRule, ForeignTable, Tool } from '../../model/view.ts';
import { COMMON, MARK, PARTICULAR, readPrefix, stateCondition } from './words.ts';

const POINTS = new Map(Object.entries({ FORWARD: 'forward', INPUT: 'input', OUTPUT: 'output' } as const));

/** The filter table, or nothing where there is none. @param ours whether it is the one that our own filter is in */
export function parseSaved(saved: string, by: Tool, ours: boolean, family = 'ip'): ForeignTable[] {
  const [, filter] = /^\*filter\n([\s\S]*?)^COMMIT$/m.exec(saved) ?? [];
  if (filter === undefined) return [];
  const chains = new Map<string, ForeignChain & { rules: ForeignRule[] }>();
  for (const line of filter.split('\n')) {
    const [, declared, policy] = /^:(\S+) (\S+)/.exec(line) ?? [];
    const point = POINTS.get(declared ?? '');
    if (declared !== undefined)
      chains.set(declared, { ...(point && { base: { point, drops: policy === 'DROP' } }), rules: [] });
    const [, chain = '', text = ''] = /^(?:\[\d+:\d+\] )?-A (\S+) ?(.*)$/.exec(line) ?? [];
    chains.get(chain)?.rules.push(toRule(text));
  }
  return [{ by, family, name: 'filter', harmless: ours || chains.has('hnet-forward'), chains }];
}

/** `! -s 192.0.2.0/24` is the option `-s` with one value, negated. */
interface Option {
  readonly name: string;
  readonly negated: boolean;
  readonly values: string[];
}

function toRule(text: string): ForeignRule {
  const options = toOptions(text);
  const at = options.findIndex(({ name }) => name === '-j' || name === '-g');
  const [target = ''] = options[at]?.values ?? [];
  // What follows the target are the target's own options.
  const asked = at < 0 ? options : options.slice(0, at);
  const isOurs = asked.some(({ name, values }) => name === '--comment' && values[0] === MARK);
  return {
    conditions: asked.flatMap(toCondition),
    effect: toEffect(target),
    ...(isOurs && target === 'ACCEPT' ? { passage: text } : {}),
  };
}

/** A word in quotes, with what is escaped in it; or any other word. */
const WORD = /"(?:[^"\\]|\\.)*"(?=\s|$)|\S+/g;
/** Options whose value is any text, even one that looks like an option: iptables quotes it only around a space. */
const TEXTS = ['--comment', '--string', '--hex-string'];

function toOptions(text: string): Option[] {
  const options: Option[] = [];
  let negated = false;
  for (const word of text.match(WORD) ?? []) {
    const last = options.at(-1);
    if (last !== undefined && TEXTS.includes(last.name) && last.values.length === 0)
      last.values.push(word.replace(/^"(.*)"$/, '$1'));
    else if (word === '!') negated = true;
    else if (/^--?[A-Za-z]/.test(word)) {
      options.push({ name: word, negated, values: [] });
      negated = false;
    } else last?.values.push(word);
  }
  return options;
}

function toEffect(target: string): Effect {
  if (target === 'ACCEPT') return 'accept';
  if (target === 'DROP' || target === 'REJECT') return 'block';
  if (target === 'RETURN') return 'return';
  // A target that lets the packet go on (LOG, MARK) is read as a jump to a chain that doesn't exist.
  return target === '' ? 'pass' : { chains: [target] };
}

/** Options that, negated, hold for most packets. */
const SELECTORS = (
  '-i -o -s -d -p -f --dport --sport --dports --sports --ports --ctstate --state --match-set --mark ' +
  '--src-group --dst-group --src-type --dst-type --src-range --dst-range --mac-source'
).split(' ');

/** Matches (`-m`) that require nothing by themselves: their options do. */
const MATCHES =
  'comment conntrack state tcp udp multiport set mark connmark devgroup addrtype iprange mac'.split(' ');

function toCondition({ name, negated, values: [value = ''] }: Option): Condition[] {
  if (name === '--comment' || (name === '-m' && MATCHES.includes(value))) return [];
  if (negated) return [SELECTORS.includes(name) ? COMMON : PARTICULAR];
  if (name === '-i' || name === '-o') return [{ is: 'device', names: [value.replace(/\+$/, '*')] }];
  if (name === '-s' || name === '-d') return [{ is: 'addresses', prefixes: readPrefix(value) }];
  if (name === '-p') return [{ is: 'protocol', names: [value] }];
  if (/^--([sd]ports?|ports)$/.test(name)) return [{ is: 'ports', ranges: value.split(',').map(toRange) }];
  return [name === '--ctstate' || name === '--state' ? stateCondition(value.split(',')) : PARTICULAR];
}

function toRange(text: string): readonly [number, number] {
  const [first = 0, final = first] = text.split(':').map(Number);
  return [first, final];
}
