/** Reads the rules that choose the routing table of a packet. */
import { parsePrefix } from '../../model/address.ts';
import type { Family, Prefix } from '../../model/prefix.ts';
import { ifPossible } from '../../model/refusal.ts';
import type { RoutingRule } from '../../model/verdict.ts';
import type { Tools } from '../host.ts';

/** The rules of a family; none if `ip` doesn't say. */
export const readRoutingRules = (tools: Tools, family: Family): RoutingRule[] =>
  toRoutingRules(tools.output(['ip', `-${family}`, 'rule', 'show']));

/** Reads what `ip rule show` prints. Lines that are no rules are left out. */
export const toRoutingRules = (printed: string): RoutingRule[] =>
  printed.split('\n').flatMap(line => {
    const [, preference, text = ''] = /^(\d+):\s+(.*\S)\s*$/.exec(line) ?? [];
    return preference === undefined ? [] : [toRule(Number(preference), text)];
  });

/** Words that ask for more of a packet than its addresses and the interface that it comes from. */
const PARTICULAR = ['oif', 'uidrange', 'ipproto', 'sport', 'dport', 'tos', 'dsfield', 'l3mdev', 'tun_id'];
const DROPPING = ['blackhole', 'prohibit', 'unreachable'];

function toRule(preference: number, text: string): RoutingRule {
  const words = text.split(/\s+/);
  const after = (key: string): string | undefined =>
    words.includes(key) ? words[words.indexOf(key) + 1] : undefined;
  const [from, to] = [toRange(after('from')), toRange(after('to'))];
  return {
    preference,
    text,
    from: from === 'odd' ? undefined : from,
    to: to === 'odd' ? undefined : to,
    iif: after('iif'),
    isParticular:
      [from, to].includes('odd') ||
      isMarked(after('fwmark')) ||
      PARTICULAR.some(word => words.includes(word)),
    isNegated: words[0] === 'not',
    table: after('lookup'),
    drops: DROPPING.some(word => words.includes(word)),
  };
}

/** `all` is undefined. `odd` is what can't be read. */
const toRange = (text: string | undefined): Prefix | undefined | 'odd' =>
  text === undefined || text === 'all' ? undefined : (ifPossible(() => parsePrefix(text)) ?? 'odd');

/** `0xca6c`, `0x1/0xff`; a packet that comes in has the mark 0. */
const isMarked = (mark: string | undefined): boolean => mark !== undefined && !/^0(x0+)?(\/|$)/.test(mark);
