/** Reads the filter table, as iptables-nft-save and iptables-legacy-save print it, in the same terms. */
import { parsePrefix } from '../../model/address.ts';
import type {
  Condition,
  Effect,
  ForeignChain,
  ForeignRule,
  ForeignTable,
  Point,
  Tool,
} from '../../model/view.ts';
import { MARK } from './parse-nft.ts';

const BUILTIN: ReadonlyMap<string, Point> = new Map([
  ['FORWARD', 'forward'],
  ['INPUT', 'input'],
  ['OUTPUT', 'output'],
]);

/** The filter table, or nothing where there is none. @param ours whether it is the one our own filter stands in */
export function parseSaved(
  saved: string,
  by: Tool,
  ours: boolean,
  family: 'ip' | 'ip6' = 'ip',
): ForeignTable[] {
  const [, filter] = /^\*filter\n([\s\S]*?)^COMMIT$/m.exec(saved) ?? [];
  if (filter === undefined) return [];
  const chains = new Map<string, ForeignChain & { rules: ForeignRule[] }>();
  for (const line of filter.split('\n')) {
    const [, declared, policy] = /^:(\S+) (\S+)/.exec(line) ?? [];
    const point = BUILTIN.get(declared ?? '');
    if (declared !== undefined)
      chains.set(declared, { ...(point && { base: { point, drops: policy === 'DROP' } }), rules: [] });
    const [, chain = '', text = ''] = /^(?:\[\d+:\d+\] )?-A (\S+) ?(.*)$/.exec(line) ?? [];
    chains.get(chain)?.rules.push(toRule(text));
  }
  return [{ by, family, name: 'filter', ours: ours || chains.has('hnet-forward'), chains }];
}

function toRule(text: string): ForeignRule {
  const [, target = ''] = /(?:^| )-[jg] (\S+)/.exec(text) ?? [];
  const asked = text
    .replace(/(?:^| )-[jg] .*$/, '')
    .replace(/ ?-m comment --comment (?:"(?:[^"\\]|\\.)*"|\S+)/, '');
  const passage = new RegExp(`-m comment --comment "?${MARK}"? -j ACCEPT$`).test(text)
    ? { passage: text }
    : {};
  return {
    conditions: toConditions(asked),
    conditional: asked.trim() !== '',
    effect: toEffect(target),
    ...passage,
  };
}

function toEffect(target: string): Effect {
  if (target === 'ACCEPT') return 'accept';
  if (target === 'DROP' || target === 'REJECT') return 'block';
  // Targets that do something and go on (LOG, MARK) are chains that don't exist.
  return target === '' || target === 'RETURN' ? 'pass' : { chains: [target] };
}

/** An option, its value, and whether it is negated: `! -i eth0`, `-m conntrack`, `--ctstate NEW`. */
function toConditions(text: string): Condition[] {
  const options = [...text.matchAll(/(! )?(--?[A-Za-z][\w-]*)((?: (?!-|! )\S+)*)/g)];
  return options.flatMap(([, negated, option = '', value = ''], index) => {
    // A match stands before its option: `-m set ! --match-set` asks for what isn't in the set.
    const excludes = negated !== undefined || (option === '-m' && options[index + 1]?.[1] !== undefined);
    return excludes ? [] : toCondition(option, value.trim());
  });
}

function toCondition(option: string, value: string): Condition[] {
  switch (option) {
    case '-i':
    case '-o':
      return [{ is: 'device', names: [value.replace(/\+$/, '*')] }];
    case '-s':
    case '-d':
      return [{ is: 'addresses', prefixes: [parsePrefix(value)] }];
    case '-p':
      return [{ is: 'protocol', names: [value] }];
    case '--dport':
    case '--sport':
    case '--dports':
    case '--sports':
      return [{ is: 'ports', ranges: value.split(',').map(toRange) }];
    case '--ctstate':
    case '--state':
      return value === 'INVALID' ? [{ is: 'particular' }] : [];
    case '-m':
      return HARMLESS.has(value) ? [] : [{ is: 'particular' }];
    default:
      return [];
  }
}

/** Matches whose options say what they ask; of any other, the name says that it asks for something. */
const HARMLESS = new Set(['comment', 'conntrack', 'state', 'tcp', 'udp', 'multiport']);

function toRange(text: string): readonly [number, number] {
  const [first, final = first] = text.split(':').map(Number);
  return [first ?? 0, final ?? 0];
}
